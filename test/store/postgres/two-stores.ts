/** Two stores on one database, and a barrier for what both do at the same time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pg from 'pg';
import type { Store } from '../../../src/store/persistent-state.ts';
import { openPostgresStore } from '../../../src/store/postgres/open.ts';
import { giveDatabaseBack, takeDatabase } from '../store-test.ts';

export interface TwoStores {
  readonly stores: readonly [Store, Store];
  readonly url: string;
}

export async function openTwoStores(t: TestContext): Promise<TwoStores> {
  const url = await takeDatabase();
  const directories: string[] = [];
  async function open(): Promise<Store> {
    const directory = await mkdtemp(join(tmpdir(), 'atelier-store-'));
    directories.push(directory);
    return openPostgresStore({ url, directory });
  }
  const stores = [await open(), await open()] as const;
  t.after(async () => {
    for (const store of stores) await store.close();
    for (const directory of directories) await rm(directory, { recursive: true });
    await giveDatabaseBack(url);
  });
  return { stores, url };
}

type Settled = PromiseSettledResult<unknown>['status'];

/**
 * Takes a lock, begins each work in turn, and releases the lock when all of them are waiting for a lock or have ended.
 * @param lock statement of a transaction that holds the lock
 * @returns how each of them ended
 */
export async function behindLock(
  url: string,
  lock: string,
  works: readonly (() => Promise<unknown>)[],
): Promise<Settled[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`begin; ${lock}`);
    const begun: Promise<unknown>[] = [];
    let ended = 0;
    for (const work of works) {
      const count = () => ended++;
      const running = work();
      running.then(count, count);
      begun.push(running);
      while ((await countWaiting(client)) + ended < begun.length);
    }
    await client.query('commit');
    return (await Promise.allSettled(begun)).map(({ status }) => status);
  } finally {
    await client.end();
  }
}

/** Connections to the database that are waiting for a lock of another one. */
async function countWaiting(client: pg.Client): Promise<number> {
  await client.query('select pg_stat_clear_snapshot()'); // a transaction would see the same activity again
  const { rows } = await client.query(
    `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0].waiting;
}
