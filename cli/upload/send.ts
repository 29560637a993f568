/** Sends forms, and shows the progress on a terminal. */
import { randomUUID } from 'node:crypto';
import type { Context } from '../command.ts';
import type { Form } from './form.ts';

const STATUS_INTERVAL_MS = 100;

/** Its key makes a repeat after a lost connection create nothing. */
export async function sendForm<T>({ client, showStatus }: Context, path: string, form: Form): Promise<T> {
  const size = `${(form.bytes / 1e6).toFixed(1)} MB`;
  let shownAt = -Infinity;
  function onProgress(fraction: number): void {
    if (performance.now() - shownAt < STATUS_INTERVAL_MS && fraction < 1) return;
    shownAt = performance.now();
    const isSent = fraction >= 1;
    showStatus(
      isSent ? `sent ${size}, waiting for the checks` : `sent ${Math.floor(fraction * 100)} % of ${size}`,
    );
  }
  try {
    return await client.json<T>(path, {
      method: 'POST',
      headers: { ...form.headers, 'idempotency-key': randomUUID() },
      open: () => form.open(onProgress),
    });
  } finally {
    showStatus('');
  }
}
