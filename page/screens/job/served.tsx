/** The version that is served after a training, and how the new one compares with it. */
import type { JSX } from 'preact';
import type { ModelComparison } from '../../../src/domain/checks/evaluation.ts';
import type { Model, ModelVersion } from '../../../src/domain/models/representation.ts';
import { request } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { percent } from '../../format.ts';
import { links } from '../../router.ts';
import { readTag } from '../model-version/alias-tag.ts';
import { servedVersion, versionPath } from '../model-version/shown-version.ts';

const VERDICTS = {
  better: 'is better',
  worse: 'is worse',
  'no-difference': 'does not differ by more than chance',
} as const;

/** The requests of the screen are about the job. */
const UNRECORDED = { isRecorded: false };

export interface ServedProps {
  readonly name: string;
  /** The version that the job published. */
  readonly version: number;
}

export function Served({ name, version }: ServedProps): JSX.Element | null {
  const path = `/v1/models/${encodeURIComponent(name)}`;
  const model = useResource<Model>(path, UNRECORDED);
  const served = model.data && servedVersion(model.data);
  const comparison = useComparison(name, version, served);
  const serve = useAction(async (signal) => {
    const alias = `${path}/aliases/champion`;
    const shown = model.data!.aliases['champion'];
    try {
      const headers =
        shown === undefined
          ? { 'if-none-match': '*' }
          : { 'if-match': await readTag(alias, { version: shown }) };
      await request(alias, { method: 'PUT', body: { version }, headers, signal });
    } finally {
      // Also after a failure: the alias may have been moved.
      model.reload();
    }
  });
  // Without its place, the facts below would move once it is loaded.
  if (model.isPending) return <p class="notice reserved">{'\u00a0'}</p>;
  if (served === null) return null;
  const isOurs = served === version;
  const together = new URLSearchParams({ tab: 'compare', with: `${name}@${served}` });
  return (
    <div class={`notice${isOurs ? ' good' : ''}`}>
      <p role="status">
        Version {served} is served.{comparison && ` Version ${version} ${describe(comparison)}`}
      </p>
      {!isOurs && (
        <div class="actions">
          {comparison?.verdict !== 'worse' && (
            <Button isBusy={serve.isBusy} onClick={serve.run}>
              Serve version {version}
            </Button>
          )}
          <a href={`${links.modelVersion(name, version)}?${together}`}>Compare them</a>
        </div>
      )}
      {!isOurs && serve.problem && <ProblemBox problem={serve.problem} />}
    </div>
  );
}

const describe = ({ verdict, accuracy }: ModelComparison): string =>
  `${VERDICTS[verdict]}: ${percent(accuracy.model)} against ${percent(accuracy.other)} of the test images.`;

/** The comparison with the served version if it reveals nothing: both are measured on the same test images already. */
function useComparison(name: string, version: number, served: number | null): ModelComparison | null {
  const isOther = served !== null && served !== version;
  const ours = useResource<ModelVersion>(isOther ? versionPath(name, version) : null, UNRECORDED).data;
  const theirs = useResource<ModelVersion>(isOther ? versionPath(name, served) : null, UNRECORDED).data;
  const digest = ours?.lineage.dataset?.digest;
  const isSame = digest !== undefined && digest === theirs?.lineage.dataset?.digest;
  const isMeasured = [ours, theirs].every((each) => typeof each?.testAccuracy === 'number');
  const search = new URLSearchParams({ with: `${name}@${served}` });
  const path = isSame && isMeasured ? `${versionPath(name, version)}/comparison?${search}` : null;
  return useResource<ModelComparison>(path, UNRECORDED).data;
}
