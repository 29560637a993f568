/** Screen: data sets. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Data(): JSX.Element {
  return (
    <Screen title="Data">
      <p>This screen is being built.</p>
    </Screen>
  );
}
