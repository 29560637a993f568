/** Screen: training jobs and searches. */
import type { JSX } from 'preact';
import { Screen } from '../../components/screen.tsx';

export function Jobs(): JSX.Element {
  return (
    <Screen title="Jobs">
      <p>This screen is being built.</p>
    </Screen>
  );
}
