/** Confirms the deletion of a data set. */
import type { JSX } from 'preact';
import { request } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { ConfirmDialog } from '../../components/dialogs/confirm-dialog.tsx';
import { links, navigate } from '../../router.ts';

export interface DeleteDialogProps {
  readonly id: string;
  readonly name: string;
  readonly onClose: () => void;
}

export function DeleteDialog({ id, name, onClose }: DeleteDialogProps): JSX.Element {
  const { isBusy, problem, run } = useAction(async () => {
    await request(`/v1/datasets/${encodeURIComponent(id)}`, { method: 'DELETE' });
    navigate(links.data());
  });
  return (
    <ConfirmDialog
      title={`Delete ${name}?`}
      text="Its images are deleted. Models that were trained on it remain."
      confirm="Delete"
      back="Keep it"
      isBusy={isBusy}
      problem={problem}
      onConfirm={run}
      onClose={onClose}
    />
  );
}
