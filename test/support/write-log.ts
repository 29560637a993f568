/** Records in the database which process and run have written each row of a training. */
import pg from 'pg';
import { execute } from './servers/postgres.ts';

export interface Write {
  readonly table: 'events' | 'metrics' | 'checkpoints' | 'model_versions';
  /** The type of an event; a change of status also has the new status, such as `status running`. */
  readonly kind: string | null;
  readonly job: string;
  /** The run of the job's row when the row was written. */
  readonly run: number;
  /** Process id of the PostgreSQL backend. */
  readonly backend: number;
  /** Name of the connection, which is another one for each process of a cluster. */
  readonly writer: string;
}

const TABLES: readonly Write['table'][] = ['events', 'metrics', 'checkpoints', 'model_versions'];

/** Call once the schema exists. */
export async function recordWrites(url: string): Promise<void> {
  await execute(
    url,
    'create schema write_log',
    `create table write_log.writes (
      n bigserial primary key, "table" text not null, kind text, job text, run int, backend int not null, writer text not null
    )`,
    `create function write_log.record() returns trigger language plpgsql as $$
      declare
        written jsonb := to_jsonb(new);
      begin
        insert into write_log.writes ("table", kind, job, run, backend, writer)
        select tg_argv[0], concat_ws(' ', written->>'type', (written->>'data')::jsonb->>'to'), written->>'job_id',
          (select run from atelier.jobs where id = written->>'job_id'), pg_backend_pid(), current_setting('application_name');
        return null;
      end $$`,
    ...TABLES.map(
      (table) =>
        `create trigger record after insert on atelier.${table} for each row execute function write_log.record('${table}')`,
    ),
  );
}

/** The recorded writes of a job, in order. */
export async function writesOf(url: string, job: string): Promise<Write[]> {
  return query(
    url,
    'select "table", kind, job, run, backend, writer from write_log.writes where job = $1 order by n',
    job,
  );
}

/** The name of the process that has started the last run of the job; undefined before the first run. */
export async function lastRunner(url: string, job: string): Promise<string | undefined> {
  const [row] = await query<{ writer: string }>(
    url,
    `select writer from write_log.writes where job = $1 and kind = 'status running' order by n desc limit 1`,
    job,
  );
  return row?.writer;
}

/**
 * Lists the writes of a process that was not the runner any more: within a run, only the process that started it may write
 * anything but a change of status, and a run ends with the start of the next one.
 */
export function staleWrites(writes: readonly Write[]): Write[] {
  let run = 0;
  let runner: string | undefined;
  return writes.filter((write) => {
    if (write.kind === 'status running') {
      const isStale = write.run <= run;
      run = write.run;
      runner = write.writer;
      return isStale;
    }
    if (write.kind?.startsWith('status ')) return false;
    return write.run !== run || write.writer !== runner;
  });
}

async function query<T>(url: string, text: string, ...values: string[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
