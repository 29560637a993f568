/** Several processes on one database are one service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { JobEvent, TrainingJob } from '../../src/domain/jobs/training.ts';
import { openStream } from '../http/read-events.ts';
import { prepareReplica, type Replica, startCluster } from '../support/cluster.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { INHERITED, requestJson, untilServedJob } from '../support/start-process.ts';
import {
  endless,
  hasEnded,
  interruptible,
  isUnderway,
  type TrainingBody,
  temporaryDirectory,
  tiny,
} from '../support/start-service.ts';

const KEY_SCRIPT = join(import.meta.dirname, '../../scripts/key.ts');
const options = { skip: withoutPostgres };
/** A busy machine must not reject anything. */
const PATIENT = { MAX_EVENT_LOOP_DELAY_MS: '60000', TRAINING_WORKERS: '1' };

const jobUrl = (base: string, id: string) => `${base}/v1/training-jobs/${id}`;
const post = (base: string, body: TrainingBody) => requestJson<TrainingJob>(`${base}/v1/training-jobs`, body);
const act = (base: string, id: string, action: string) =>
  requestJson<TrainingJob>(`${jobUrl(base, id)}/${action}`, {});

/** The events of a job that has ended. */
async function eventsOf(base: string, id: string): Promise<JobEvent[]> {
  const { data } = await requestJson<{ data: JobEvent[] }>(`${jobUrl(base, id)}/events?limit=1000`);
  assert.deepEqual(
    data.map(({ id: n }) => n),
    Array.from(data, (_, n) => n + 1),
  );
  return data;
}

test('three processes that start together on an empty database agree', options, async (t) => {
  const url = await temporaryDatabase(t);
  const directory = await temporaryDirectory(t);
  const settings = { ...PATIENT, HOST: '0.0.0.0', STARTER_JOB: 'on' };
  const replicas = await Promise.all(
    ['one', 'two', 'three'].map((name) => prepareReplica(t, url, join(directory, name), name, settings)),
  );
  await Promise.all(replicas.map((replica) => replica.restart()));
  const outputs = replicas.map(({ process }) => process.output());
  const matches = (pattern: RegExp) => outputs.flatMap((output) => output.match(pattern) ?? []);
  assert.equal(matches(/"migrating the database"/g).length, 1);
  const keys = matches(/^ {2}atl_[\w-]{43}$/gm);
  assert.equal(keys.length, 1, 'the key must be printed once');
  const printed = keys[0]!.trim();
  const listAt = ({ base }: Replica, key: string) =>
    fetch(`${base.replace('0.0.0.0', '127.0.0.1')}/v1/training-jobs`, {
      headers: { authorization: `Bearer ${key}` },
    });
  for (const replica of replicas) {
    const response = await listAt(replica, printed);
    assert.equal(response.status, 200);
    assert.equal(((await response.json()) as { data: unknown[] }).data.length, 1);
  }

  const { stdout } = await promisify(execFile)(process.execPath, [KEY_SCRIPT, '--reset'], {
    env: { ...INHERITED, DATABASE_URL: url },
  });
  for (const replica of replicas) {
    await until(async () => (await listAt(replica, stdout.trim())).status === 200);
    assert.equal((await listAt(replica, printed)).status, 401);
  }
});

test('a replica responds to requests about the work of another replica', options, async (t) => {
  const cluster = await startCluster(t, await temporaryDatabase(t), 0, PATIENT);
  const [a, b, worker] = [
    await cluster.add({ ROLE: 'api' }),
    await cluster.add({ ROLE: 'api' }),
    await cluster.add({ ROLE: 'worker' }),
  ];

  await t.test('pause, resume and cancel reach the runner', async () => {
    const { id } = await post(a.base, endless);
    await untilServedJob(b.base, id, isUnderway);
    await act(a.base, id, 'pause');
    const paused = await untilServedJob(b.base, id, ({ status }) => status === 'paused');
    await act(b.base, id, 'resume');
    await untilServedJob(a.base, id, (job) => isUnderway(job) && job.progress.step > paused.progress.step);
    await act(a.base, id, 'cancel');
    const cancelled = await untilServedJob(b.base, id, hasEnded);
    assert.deepEqual([cancelled.status, cancelled.error], ['cancelled', null]);
  });

  await t.test('a job is verified, and all of its events arrive', async (t) => {
    const { id } = await post(a.base, interruptible);
    const lags: number[] = [];
    const stream = await openStream(`${jobUrl(b.base, id)}/events`);
    for await (const event of stream.events()) lags.push(Date.now() - Date.parse(event.at));
    const lag = lags.toSorted((x, y) => x - y)[Math.floor(lags.length / 2)]!;
    t.diagnostic(`median lag of ${lags.length} events: ${lag} ms`);
    assert.ok(lags.length > 16, `${lags.length} events`);
    assert.equal((await eventsOf(a.base, id)).length, lags.length);

    const { id: verification } = await act(b.base, id, 'verify');
    const verified = await untilServedJob(a.base, verification, hasEnded);
    assert.equal(verified.verification?.agrees, true, JSON.stringify(verified.verification));
  });

  await t.test('after a move of an alias, no replica predicts with the old version', async () => {
    for (const seed of [1, 2]) {
      const { id } = await post(a.base, tiny({ modelName: 'moved', seed }));
      assert.equal((await untilServedJob(a.base, id, hasEnded)).status, 'succeeded');
    }
    const image = new Uint8Array(784);
    async function versionAt(base: string): Promise<number> {
      const headers = { 'content-type': 'application/octet-stream' };
      const response = await fetch(`${base}/v1/models/moved/predictions`, {
        method: 'POST',
        headers,
        body: image,
      });
      const body = (await response.json()) as { model: { version: number } };
      assert.equal(response.status, 200, JSON.stringify(body));
      return body.model.version;
    }
    for (let move = 0; move < 40; move++) {
      const version = (move % 2) + 1;
      const [mover, other] = move % 3 === 0 ? [a, b] : [b, a];
      const response = await fetch(`${mover.base}/v1/models/moved/aliases/champion`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ version }),
      });
      assert.ok(response.ok, await response.text());
      assert.deepEqual([await versionAt(other.base), await versionAt(mover.base)], [version, version]);
    }
  });

  await worker.terminate();
  for (const replica of [a, b]) await replica.terminate();
});

test('replicas come and go while jobs are waiting, and each job ends as if alone', options, async (t) => {
  const cluster = await startCluster(t, await temporaryDatabase(t), 2, PATIENT);
  const [first, second] = cluster.replicas;
  const training = { ...interruptible.training, epochs: 30, checkpointEverySeconds: 1 };
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) {
    const { base } = cluster.replicas[n % 2]!;
    ids.push((await post(base, tiny({ modelName: `waiting-${n}`, training }))).id);
  }
  const third = await cluster.add();
  const running = async () => {
    const { data } = await requestJson<{ data: TrainingJob[] }>(
      `${third.base}/v1/training-jobs?status=running`,
    );
    return data.filter(isUnderway);
  };
  await until(async () => (await running()).length === 3);
  await first!.terminate();
  await second!.terminate();
  const digests = new Set<string | null>();
  for (const id of ids) {
    const job = await untilServedJob(third.base, id, hasEnded);
    assert.deepEqual([job.status, job.attempts, job.error], ['succeeded', 1, null]);
    digests.add(job.digest);
    await eventsOf(third.base, id);
  }
  assert.equal(digests.size, 1);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it has not happened within a minute');
    await setTimeout(50);
  }
}
