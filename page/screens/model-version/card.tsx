/** Model card of a version, as Markdown. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { DownloadLink } from '../../components/download-link.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Skeleton } from '../../components/feedback/skeleton.tsx';
import { ScrollRegion } from '../../components/scroll-region.tsx';
import { type ShownVersion, versionPath } from './shown-version.ts';

const MARKDOWN = 'text/markdown';

export function Card({ version: { name, version } }: { readonly version: ShownVersion }): JSX.Element {
  const path = `${versionPath(name, version)}/card`;
  const [card, setCard] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    request(path, { headers: { accept: MARKDOWN }, signal })
      .then((response) => response.text())
      .then(setCard)
      .catch((error) => signal.aborted || setProblem(toProblem(error)));
    return () => controller.abort();
  }, [path]);
  if (problem !== null) return <ProblemBox problem={problem} />;
  if (card === null) return <Skeleton lines={20} />;
  return (
    <section class="box model-card" aria-label="Model card">
      <div class="actions">
        <CopyButton text={card} />
        <span class="links">
          <DownloadLink name="Markdown" file={`${name}-${version}.md`} from={{ path, accept: MARKDOWN }} />
          <DownloadLink
            name="JSON"
            file={`${name}-${version}-card.json`}
            from={{ path, accept: 'application/json' }}
          />
        </span>
      </div>
      <ScrollRegion label="Text of the card">
        <pre>{card}</pre>
      </ScrollRegion>
    </section>
  );
}
