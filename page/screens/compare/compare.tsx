/** Screen: several training jobs. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Compare(): JSX.Element {
  return (
    <Screen title="Compare">
      <p>This screen is being built.</p>
    </Screen>
  );
}
