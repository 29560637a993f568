/** A simulated disk that loses at a power failure what was not synced. */
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';

export interface PowerLoss {
  /** Rows of `sql` after a power failure now. */
  rows(sql: string): Promise<unknown[]>;
  syncs(): number;
}

/** Bytes of a log's header that differ after each restart of the log. */
const SALT = [16, 24] as const;

const differs = (a: Buffer, b: Buffer) => !a.subarray(...SALT).equals(b.subarray(...SALT));

/** @param file the database, which may not exist yet */
export async function simulatePowerLoss(t: TestContext, file: string): Promise<PowerLoss> {
  const directory = await mkdtemp(join(tmpdir(), 'atelier-power-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  let disk: { readonly log: Buffer; readonly databases: readonly Buffer[] } | undefined;
  let [syncs, copies] = [0, 0];
  await replaceSync(t, 'datasync', async (sync) => {
    syncs++;
    const [log, now] = await readBoth();
    await sync();
    if (!log || !now) return;
    const restarted = !disk || differs(disk.log, log);
    // Until the log restarts, pages of the database may have been written or not.
    disk = { log, databases: restarted ? [now] : [disk!.databases[0]!, now] };
  });

  /** Reads again if the log restarts in between, because both files must belong together. */
  async function readBoth(): Promise<readonly [Buffer | null, Buffer | null]> {
    const read = (path: string) => readFile(path).catch(() => null);
    for (;;) {
      const log = await read(`${file}-wal`);
      const database = await read(file);
      const after = await read(`${file}-wal`);
      if (!log || !after || !differs(log, after)) return [log, database];
    }
  }

  async function recover(database: Buffer, log: Buffer, sql: string): Promise<unknown[]> {
    const copy = join(directory, `${copies++}.sqlite`);
    await writeFile(copy, database);
    await writeFile(`${copy}-wal`, log);
    const db = new DatabaseSync(copy, { readOnly: true });
    try {
      const [intact] = Object.values(db.prepare('pragma integrity_check').get()!);
      if (intact !== 'ok') throw new Error(`The database is damaged: ${intact}`);
      return db.prepare(sql).all();
    } finally {
      db.close();
      for (const suffix of ['', '-wal', '-shm']) await rm(copy + suffix, { force: true });
    }
  }

  return {
    syncs: () => syncs,
    async rows(sql) {
      const { databases, log } = disk!;
      const found: unknown[][] = [];
      for (const database of databases) found.push(await recover(database, log, sql));
      return found.toSorted((a, b) => a.length - b.length)[0]!;
    },
  };
}

/** Replaces a method of every FileHandle until the test ends: `datasync` syncs the log only, `sync` other files. */
export async function replaceSync(
  t: TestContext,
  method: 'datasync' | 'sync',
  replacement: (sync: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const original = prototype[method];
  t.mock.method(prototype, method, function (this: typeof handle) {
    return replacement(() => original.call(this));
  });
}
