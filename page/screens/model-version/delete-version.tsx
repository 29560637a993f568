/** Confirms the deletion of a version. */
import type { JSX } from 'preact';
import type { Model } from '../../../src/domain/models/representation.ts';
import { request } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { useResource } from '../../api/use-resource.ts';
import { ConfirmDialog } from '../../components/dialogs/confirm-dialog.tsx';
import { links, navigate } from '../../router.ts';
import { useDatasetName } from '../../state/dataset-names.ts';
import { type ShownVersion, versionPath } from './shown-version.ts';

export interface DeleteVersionProps {
  readonly version: ShownVersion;
  readonly onClose: () => void;
}

export function DeleteVersion({ version: shown, onClose }: DeleteVersionProps): JSX.Element {
  const { name, version } = shown;
  const model = useResource<Model>(`/v1/models/${encodeURIComponent(name)}`, { isRecorded: false });
  const title = useDatasetName(name);
  const { isBusy, problem, run } = useAction(async () => {
    await request(versionPath(name, version), { method: 'DELETE' });
    navigate(links.models());
  });
  return (
    <ConfirmDialog
      title={`Delete ${title}@${version}?`}
      text={`The version and its parameters are deleted for good. ${describeEffects(shown.aliases, model.data)}`}
      confirm="Delete the version"
      back="Keep it"
      isBusy={isBusy}
      problem={problem}
      onConfirm={run}
      onClose={onClose}
    />
  );
}

/** @param model null until it has been loaded */
function describeEffects(aliases: readonly string[], model: Model | null): string {
  const names = `alias${aliases.length === 1 ? '' : 'es'} ${aliases.join(' and ')}`;
  if (model?.versions === 1) {
    return `It is the only one, so the model is deleted with it${aliases.length === 0 ? '' : `, and so is the ${names}`}.`;
  }
  const blocked = `First remove or move its ${names}: they would prevent that. `;
  return `${aliases.length === 0 ? '' : blocked}Its number is never used again.`;
}
