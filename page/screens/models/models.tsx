/** Screen: models and their versions. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Models(): JSX.Element {
  return (
    <Screen title="Models">
      <p>This screen is being built.</p>
    </Screen>
  );
}
