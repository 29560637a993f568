/** The banner while the service does not respond or is busy. */
import type { JSX } from 'preact';
import { awaySince, retryIn } from '../state/connection.ts';

export function Banner(): JSX.Element {
  const since = awaySince.value;
  return (
    <div role="status">
      {since !== null && (
        <p class="banner">No response since {since.toLocaleTimeString('en-GB')}. The page keeps trying.</p>
      )}
      {retryIn.value !== null && <p class="banner">Busy. The request is sent again in {retryIn.value} s.</p>}
    </div>
  );
}
