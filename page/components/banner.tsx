/** The banner while the service does not respond or is busy. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { addressOf } from '../api/client.ts';
import { awaySince, reportConnection, retryIn } from '../state/connection.ts';

const PROBE_MS = 2000;

/** Whether the service is back, also on screens that send no request by themselves. */
const probe = () =>
  fetch(addressOf('/health/live')).then(
    ({ ok }) => ok && reportConnection(true),
    () => reportConnection(false),
  );

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
