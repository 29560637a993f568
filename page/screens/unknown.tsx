/** Screen: an address without a screen. */
import type { JSX } from 'preact';
import { EmptyState } from '../components/feedback/empty-state.tsx';
import { Screen } from '../components/screen.tsx';
import { links } from '../router.ts';

export function Unknown(): JSX.Element {
  return (
    <Screen title="Not found">
      <EmptyState
        text="No screen has this address."
        action={{ name: 'Train a network', href: links.train() }}
      />
    </Screen>
  );
}
