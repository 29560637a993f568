/** Confirms the deletion of a version. */
import type { JSX } from 'preact';
import { request } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { links, navigate } from '../../router.ts';
import { type ShownVersion, versionPath } from './shown-version.ts';

export interface DeleteVersionProps {
  readonly version: ShownVersion;
  readonly onClose: () => void;
}

export function DeleteVersion({ version: { name, version }, onClose }: DeleteVersionProps): JSX.Element {
  const { isBusy, problem, run } = useAction(async () => {
    await request(versionPath(name, version), { method: 'DELETE' });
    navigate(links.models());
  });
  return (
    <ConfirmDialog
      title={`Delete ${name} @ ${version}?`}
      text="The version and its parameters are deleted for good. Its number is never used again."
      confirm="Delete the version"
      back="Keep it"
      isBusy={isBusy}
      problem={problem}
      onConfirm={run}
      onClose={onClose}
    />
  );
}
