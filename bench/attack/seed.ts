/** Fills a state directory with many rows, copied from one real job. */
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

export interface Seed {
  readonly jobs: number;
  readonly versions: number;
  readonly epochs: number;
}

/**
 * Copies the newest job, the newest version of its model with an alias each, and its first epoch. The service must not
 * run, and one job must have succeeded.
 * @returns the id of the job with many epochs
 */
export function seed(stateDir: string, { jobs, versions, epochs }: Seed): string {
  const db = new DatabaseSync(join(stateDir, 'atelier.sqlite'));
  const copy = (table: string, condition: string, count: number, change: (n: number, row: Row) => object) => {
    const row = db.prepare(`select * from ${table} where ${condition} limit 1`).get() as Row;
    const names = Object.keys(row);
    const insert = db.prepare(`insert into ${table} (${names}) values (${names.map(() => '?')})`);
    for (let n = 1; n <= count; n++) {
      const values: Row = { ...row, ...change(n, row) };
      insert.run(...names.map((name) => values[name]!));
    }
    return row;
  };
  db.exec('begin');
  const job = String(copy('jobs', "status = 'succeeded'", jobs, (n) => ({ id: jobId(n) }))['id']);
  const { name } = copy('model_versions', 'version = 1', versions, (n) => ({ version: n + 1 }));
  const alias = db.prepare('insert into aliases values (?, ?, ?, ?, ?)');
  for (let n = 1; n <= versions; n++) alias.run(name!, `alias-${n}`, n, new Date(0).toISOString(), 'seed');
  db.prepare('update models set last_version = ? where name = ?').run(versions + 1, name!);
  copy('metrics', `job_id = '${job}'`, epochs, (n, { record }) => ({
    epoch: n + 1,
    record: JSON.stringify({ ...JSON.parse(String(record)), epoch: n + 1 }),
  }));
  db.exec('commit');
  db.close();
  return job;
}

type Row = Record<string, SQLInputValue>;

/** Ids before real jobs' ids. */
const jobId = (n: number) => `job_0${String(n).padStart(25, '0')}`;
