/** Dialog that confirms the deletion of a version. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemBox } from '../../components/problem-box.tsx';
import { links, navigate } from '../../router.ts';
import { type ShownVersion, versionPath } from './shown-version.ts';

export interface DeleteVersionProps {
  readonly version: ShownVersion;
  readonly onClose: () => void;
}

export function DeleteVersion({ version: { name, version }, onClose }: DeleteVersionProps): JSX.Element {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [isBusy, setBusy] = useState(false);
  async function remove(): Promise<void> {
    setBusy(true);
    try {
      await request(versionPath(name, version), { method: 'DELETE' });
      navigate(links.models());
    } catch (error) {
      setBusy(false);
      setProblem(toProblem(error));
    }
  }
  return (
    <Dialog title={`Delete ${name} @ ${version}?`} onClose={onClose}>
      <div class="stack">
        <p>The version and its parameters are deleted for good. Its number is never used again.</p>
        {problem && <ProblemBox problem={problem} />}
        <div class="actions">
          <Button kind="danger" isBusy={isBusy} onClick={() => void remove()}>
            Delete the version
          </Button>
          <Button onClick={onClose}>Keep it</Button>
        </div>
      </div>
    </Dialog>
  );
}
