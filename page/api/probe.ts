/** Whether the service responds, without a request of a screen. */
import { reportConnection } from '../state/connection.ts';
import { resolveAddress } from './client.ts';

export const probe = (): Promise<void> =>
  fetch(resolveAddress('/health/live')).then(
    ({ ok }) => {
      if (ok) reportConnection(true);
    },
    () => reportConnection(false),
  );
