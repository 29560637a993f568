/** Screen: one version of a model. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function ModelVersion({
  name,
  version,
}: {
  readonly name: string;
  readonly version: string;
}): JSX.Element {
  return (
    <Screen title={`${name} @ ${version}`}>
      <p>This screen is being built.</p>
    </Screen>
  );
}
