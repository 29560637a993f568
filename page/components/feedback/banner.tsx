/** The banner while the service does not respond or is busy. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { probe } from '../../api/probe.ts';
import { awaySince, retryIn } from '../../state/connection.ts';

const PROBE_MS = 2000;

export function Banner(): JSX.Element {
  const since = awaySince.value;
  const isAway = since !== null;
  useEffect(() => {
    if (!isAway) return;
    const timer = setInterval(() => void probe(), PROBE_MS);
    return () => clearInterval(timer);
  }, [isAway]);
  return (
    <div role="status">
      {since !== null && (
        <p class="banner">No response since {since.toLocaleTimeString('en-GB')}. The page keeps trying.</p>
      )}
      {retryIn.value !== null && <p class="banner">Busy. The request is sent again in {retryIn.value} s.</p>}
    </div>
  );
}
