/** Dialog that confirms an action that cannot be undone. */
import type { JSX } from 'preact';
import type { ApiProblem } from '../../api/problem.ts';
import { Button } from '../button.tsx';
import { ProblemBox } from '../feedback/problem-box.tsx';
import { Dialog } from './dialog.tsx';

export interface ConfirmDialogProps {
  readonly title: string;
  /** Sentence about the consequences of the action. */
  readonly text: string;
  /** Names of the buttons that confirm and that close. */
  readonly confirm: string;
  readonly back: string;
  readonly isBusy?: boolean;
  /** Why the action failed, if the dialog stays open for it. */
  readonly problem?: ApiProblem | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function ConfirmDialog(props: ConfirmDialogProps): JSX.Element {
  const { title, text, confirm, back, isBusy = false, problem = null, onConfirm, onClose } = props;
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="stack">
        <p>{text}</p>
        {problem && <ProblemBox problem={problem} />}
        <div class="actions">
          <Button kind="danger" isBusy={isBusy} onClick={onConfirm}>
            {confirm}
          </Button>
          <Button onClick={onClose}>{back}</Button>
        </div>
      </div>
    </Dialog>
  );
}
