/** Screen: the form of a training or a search. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Train(): JSX.Element {
  return (
    <Screen title="Train">
      <p>This screen is being built.</p>
    </Screen>
  );
}
