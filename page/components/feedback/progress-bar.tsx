/** A progress bar with its value as text. */
import type { JSX } from 'preact';
import { percent } from '../../format.ts';

/** @param fraction from 0 to 1 */
export function ProgressBar({
  label,
  fraction,
}: {
  readonly label: string;
  readonly fraction: number;
}): JSX.Element {
  return (
    <span class="progress">
      <progress aria-label={label} value={fraction} />
      <span class="number">{percent(fraction, 0)}</span>
    </span>
  );
}
