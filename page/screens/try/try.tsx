/** Screen: predictions. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Try(): JSX.Element {
  return (
    <Screen title="Try">
      <p>This screen is being built.</p>
    </Screen>
  );
}
