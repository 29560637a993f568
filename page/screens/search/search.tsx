/** Screen: one search. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Search({ id }: { readonly id: string }): JSX.Element {
  return (
    <Screen title={id}>
      <p>This screen is being built.</p>
    </Screen>
  );
}
