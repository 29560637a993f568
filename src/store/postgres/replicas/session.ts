/** The session of a replica: one connection of its own to PostgreSQL, opened again whenever it is lost. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import type { StoreLog } from '../../database/log.ts';

export type Session = Awaited<ReturnType<typeof openSession>>;

const REPLY_MS = 2000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/**
 * @param url a direct connection; a pooler in transaction mode delivers no notifications
 * @throws Error if the first connection fails
 */
export async function openSession(url: string, log: StoreLog) {
  // Imported on demand: a service without DATABASE_URL does not load the client.
  const { default: pg } = await import('pg');
  const reconnected = new Set<() => void>();
  const notified = new Set<(payload: string) => void>();
  const closing = new AbortController();
  let current: Client | undefined;

  async function connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'atelier session',
      keepAlive: true,
      connectionTimeoutMillis: REPLY_MS,
      query_timeout: REPLY_MS,
    });
    client.on('notification', ({ payload = '' }) => {
      for (const listener of notified) listener(payload);
    });
    // Without a listener the error of an idle connection would end the process.
    client.on('error', (error) => lose(client, error));
    client.on('end', () => lose(client, new Error('The connection has ended.')));
    await client.connect();
    if (closing.signal.aborted) return client.end();
    current = client;
  }

  function lose(client: Client, error: Error): void {
    if (current !== client) return;
    current = undefined;
    if (closing.signal.aborted) return;
    log.warn(`the session with the database is lost: ${error.message}`);
    void reconnect();
  }

  async function reconnect(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        await wait(pause, undefined, { ref: false, signal: closing.signal });
        await connect();
        break;
      } catch {
        if (closing.signal.aborted) return;
      }
    }
    if (!current) return;
    log.info({}, 'the session with the database is open again');
    for (const listener of reconnected) listener();
  }

  async function run<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const client = current;
    if (!client) throw new Error('The session with the database is lost.');
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } catch (error) {
      // Errors of the database have a code. All others, such as a missing reply, leave the connection unusable.
      if (!(error instanceof pg.DatabaseError)) void client.end().catch(() => {});
      throw error;
    }
  }

  /** One statement at a time, so that the time limit of a statement does not include others. */
  let last: Promise<unknown> = Promise.resolve();
  function query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const rows = last.then(() => run<Row>(text, values));
    last = rows.catch(() => {});
    return rows;
  }

  await connect();
  return {
    /** @throws Error at once while the connection is lost, and after 2 s without a reply; the connection then ends */
    query,
    /** Calls the listener whenever the connection was lost and is open again. */
    onReconnected: (listener: () => void) => void reconnected.add(listener),
    /** Calls the listener with the payload of each notification that the session receives. */
    onNotification: (listener: (payload: string) => void) => void notified.add(listener),
    async close() {
      closing.abort();
      await last;
      await current?.end();
    },
  };
}
