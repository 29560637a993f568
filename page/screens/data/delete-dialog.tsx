/** Confirms the deletion of a data set. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemBox } from '../../components/problem-box.tsx';
import { links, navigate } from '../../router.ts';

export interface DeleteDialogProps {
  readonly id: string;
  readonly name: string;
  readonly onClose: () => void;
}

export function DeleteDialog({ id, name, onClose }: DeleteDialogProps): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  async function remove(): Promise<void> {
    setBusy(true);
    try {
      await request(`/v1/datasets/${encodeURIComponent(id)}`, { method: 'DELETE' });
      navigate(links.data());
    } catch (error) {
      setProblem(toProblem(error));
      setBusy(false);
    }
  }
  return (
    <Dialog title={`Delete ${name}?`} onClose={onClose}>
      <div class="stack">
        <p>Its images are deleted. Models that were trained on it remain.</p>
        {problem && <ProblemBox problem={problem} />}
        <div class="actions">
          <Button kind="danger" onClick={() => void remove()} isBusy={isBusy}>
            Delete
          </Button>
          <Button onClick={onClose}>Keep it</Button>
        </div>
      </div>
    </Dialog>
  );
}
