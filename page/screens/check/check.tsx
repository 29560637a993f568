/** Screen: a gradient check. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Check(): JSX.Element {
  return (
    <Screen title="Check">
      <p>This screen is being built.</p>
    </Screen>
  );
}
