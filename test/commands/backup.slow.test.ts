/** Backups of a running service: the copy starts, and has everything. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { CheckpointRecord } from '../../src/domain/jobs/checkpoint.ts';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Calibration } from '../../src/domain/models/calibration.ts';
import { jobsToKill } from '../support/jobs-to-kill.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { postgresBinaries } from '../support/servers/postgres-server.ts';
import {
  INHERITED,
  requestJson,
  serviceAddress,
  startProcess,
  untilServedJob,
} from '../support/start-process.ts';
import {
  endless,
  hasEnded,
  isUnderway,
  type Scope,
  temporaryDirectory,
  tiny,
} from '../support/start-service.ts';

const run = promisify(execFile);
const BACKUP = join(import.meta.dirname, '../../src/commands/backup.ts');
const RESTORE = join(import.meta.dirname, '../../src/commands/restore.ts');

test('a service restored from a backup during trainings and deletions continues the job', async (t) => {
  const directory = await temporaryDirectory(t);
  const stateDir = join(directory, 'state');
  const base = await serviceAddress(startProcess(t, stateDir, { TRAINING_WORKERS: '2' }));
  const jobs = `${base}/v1/training-jobs`;
  const training = { ...endless.training, checkpointEverySeconds: 1 };
  const { id } = await requestJson<TrainingJob>(jobs, { ...endless, modelName: 'endless', training });
  await untilServedJob(base, id, isUnderway);

  let isDone = false;
  async function trainAndDelete(): Promise<void> {
    const job = await requestJson<TrainingJob>(jobs, tiny({ modelName: 'changing' }));
    await untilServedJob(base, job.id, hasEnded);
    const { model } = await requestJson<TrainingJob>(`${jobs}/${job.id}`);
    await fetch(`${base}/v1/models/changing/versions/${model!.version - 1}`, { method: 'DELETE' });
  }
  async function changeOften(): Promise<void> {
    // A busy machine sheds new jobs.
    while (!isDone) await trainAndDelete().catch(() => setTimeout(100));
  }
  const changes = changeOften();
  const backups = [1, 2].map((n) => join(directory, `backup-${n}`));
  for (const backup of backups) {
    await run(process.execPath, [BACKUP, backup], { env: { ...INHERITED, STATE_DIR: stateDir } });
  }
  isDone = true;
  await changes;

  for (const backup of backups) {
    const service = startProcess(t, backup, { TRAINING_WORKERS: '1' });
    const restored = await serviceAddress(service);
    const url = `${restored}/v1/training-jobs/${id}`;
    const { data } = await requestJson<{ data: CheckpointRecord[] }>(`${url}/checkpoints`);
    const newest = data.at(-1)?.step ?? 0;
    await untilServedJob(restored, id, (job) => job.status === 'running' && job.progress.step > newest);
    const models = await requestJson<{ data: { name: string; latest: { version: number } }[] }>(
      `${restored}/v1/models`,
    );
    for (const { name, latest } of models.data) {
      await requestJson(`${restored}/v1/models/${name}/versions/${latest.version}/export?format=json`);
    }
    const events = await requestJson<{ data: { type: string }[] }>(`${url}/events?limit=1000`);
    assert.deepEqual(
      events.data.filter(({ type }) => type === 'warning'),
      [],
    );
    assert.doesNotMatch(service.output(), /lost\+found|without a row/);
    service.child.kill('SIGKILL');
    await service.exited;
  }
});

interface Copies {
  /** Settings of the service whose state is copied, and of the one with the restored copy. */
  readonly original: Record<string, string>;
  readonly elsewhere: Record<string, string>;
  backUp(): Promise<void>;
  restore(): Promise<void>;
}

async function copyDirectory(t: Scope): Promise<Copies> {
  const directory = await temporaryDirectory(t);
  const [original, elsewhere] = ['original', 'elsewhere'].map((name) => ({
    STATE_DIR: join(directory, name),
  }));
  const backup = join(directory, 'backup');
  return {
    original: original!,
    elsewhere: elsewhere!,
    async backUp() {
      await run(process.execPath, [BACKUP, backup], { env: { ...INHERITED, ...original } });
    },
    async restore() {
      const { stdout } = await run(process.execPath, [RESTORE, backup], {
        env: { ...INHERITED, ...elsewhere },
      });
      assert.match(stdout, /^Restored the database and \d+ files to .*elsewhere\./);
    },
  };
}

async function copyPostgres(t: Scope): Promise<Copies> {
  const directory = await temporaryDirectory(t);
  const [original, elsewhere] = [await temporaryDatabase(t), await temporaryDatabase(t)];
  const dump = join(directory, 'atelier.dump');
  const call = async (name: string, ...args: string[]) => {
    await run(join(postgresBinaries()!, name), args);
  };
  return {
    original: { STATE_DIR: join(directory, 'original'), DATABASE_URL: original },
    elsewhere: { STATE_DIR: join(directory, 'elsewhere'), DATABASE_URL: elsewhere },
    backUp: () => call('pg_dump', '--format=custom', `--file=${dump}`, original),
    restore: () =>
      call('pg_restore', '--clean', '--if-exists', '--exit-on-error', `--dbname=${elsewhere}`, dump),
  };
}

const KINDS = {
  'a state directory': { skip: false, copy: copyDirectory },
  'a PostgreSQL database': { skip: withoutPostgres, copy: copyPostgres },
} as const;

for (const [name, { skip, copy }] of Object.entries(KINDS)) {
  test(`a backup of ${name}, restored elsewhere, ends its job with the same parameters`, {
    skip,
  }, async (t) => {
    const { original, elsewhere, backUp, restore } = await copy(t);
    const start = async (settings: Record<string, string>) =>
      serviceAddress(startProcess(t, settings['STATE_DIR']!, { ...settings, TRAINING_WORKERS: '1' }));
    const first = await start(original);
    const published = await requestJson<TrainingJob>(
      `${first}/v1/training-jobs`,
      tiny({ modelName: 'before' }),
    );
    await untilServedJob(first, published.id, hasEnded);
    const before = 'v1/models/before/versions/1';
    const calibration = await requestJson<Calibration>(`${first}/${before}/calibration`);
    const { id } = await requestJson<TrainingJob>(`${first}/v1/training-jobs`, jobsToKill(4)[0]);
    const job = `v1/training-jobs/${id}`;
    const hasCheckpoint = async () =>
      (await requestJson<{ data: CheckpointRecord[] }>(`${first}/${job}/checkpoints`)).data.length > 0;
    while (!(await hasCheckpoint())) await setTimeout(100);
    await backUp();
    await restore();

    const second = await start(elsewhere);
    const ends = await Promise.all([first, second].map((base) => untilServedJob(base, id, hasEnded)));
    const [undisturbed, continued] = ends;
    assert.ok(undisturbed!.digest !== null);
    assert.deepEqual([undisturbed!.status, continued!.status], ['succeeded', 'succeeded']);
    assert.deepEqual(
      [continued!.digest, continued!.stoppedAt],
      [undisturbed!.digest, undisturbed!.stoppedAt],
    );
    const { data } = await requestJson<{ data: JobEvent[] }>(`${second}/${job}/events?limit=1000`);
    assert.equal(
      data.filter(({ data: { to } }) => to === 'running').length,
      2,
      'it continued after the restore',
    );
    await requestJson(`${second}/${before}/export?format=json`);
    assert.deepEqual(await requestJson<Calibration>(`${second}/${before}/calibration`), calibration);
    // The arrays of the calibration, from the backup.
    const body = { images: [new Array<number>(784).fill(0)] };
    await requestJson(`${second}/${before}/predictions?coverage=0.9`, body);
  });
}

test('the commands explain wrong directories, and name the tools of PostgreSQL', async (t) => {
  const directory = await temporaryDirectory(t);
  const fails = (args: string[], env: Record<string, string>, message: RegExp) =>
    assert.rejects(run(process.execPath, args, { env: { ...INHERITED, STATE_DIR: directory, ...env } }), {
      stderr: message,
    });
  const target = join(directory, 'backup');
  const DATABASE_URL = 'postgresql://localhost/none';
  for (const command of [BACKUP, RESTORE]) {
    for (const args of [[], ['--quiet', target]]) {
      await assert.rejects(run(process.execPath, [command, ...args]), { code: 2, stderr: /^Usage: / });
    }
    assert.match((await run(process.execPath, [command, '--help'])).stdout, /^Usage: /);
  }
  await fails([BACKUP, target], {}, /atelier\.sqlite does not exist\. Set STATE_DIR/);
  await fails([RESTORE, target], {}, /backup\/atelier\.sqlite is not a file\. Name a directory/);
  const bucket = {
    BLOB_URL: 's3://bucket/a?endpoint=http://localhost:9&region=eu',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  };
  await fails([BACKUP, target], { DATABASE_URL, ...bucket }, /pg_dump, and the bucket of BLOB_URL before/);
  await fails([RESTORE, target], { DATABASE_URL, ...bucket }, /pg_restore, and the objects of BLOB_URL/);
});
