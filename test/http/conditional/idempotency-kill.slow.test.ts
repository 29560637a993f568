import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { seeded } from '../../support/seeded.ts';
import { serviceAddress, startProcess } from '../../support/start-process.ts';
import { temporaryDirectory, tiny } from '../../support/start-service.ts';

const KILLS = 6;
const REQUESTS = 12;

interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
  readonly replayed: boolean;
}

/**
 * Creates a job. A request that is rejected with 503 has created nothing and is repeated.
 * @returns undefined if the connection breaks first
 */
async function post(base: string, key: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${base}/v1/training-jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(tiny({ metadata: { key } })),
    });
    const body = await response.text();
    const { status, headers } = response;
    if (status === 503) return post(base, key);
    return { status, location: headers.get('location'), body, replayed: headers.has('idempotency-replayed') };
  } catch {
    return undefined;
  }
}

async function allJobs(base: string): Promise<TrainingJob[]> {
  const jobs: TrainingJob[] = [];
  for (let after = ''; ; ) {
    const response = await fetch(`${base}/v1/training-jobs?limit=100${after}`);
    const page = (await response.json()) as { data: TrainingJob[]; lastId: string; hasMore: boolean };
    jobs.push(...page.data);
    if (!page.hasMore) return jobs;
    after = `&after=${page.lastId}`;
  }
}

test('after kills before, during or after the response, every repeated key has one job', async (t) => {
  const stateDir = await temporaryDirectory(t);
  // A killed process writes no coverage, so collecting it would only take time.
  const start = () =>
    startProcess(t, stateDir, { TRAINING_WORKERS: '1', QUEUE_LIMIT: '1000', NODE_V8_COVERAGE: '' });
  const random = seeded(t);
  const all: string[] = [];
  let service = start();
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, exited } = service;
    let base = await serviceAddress(service);
    const keys = Array.from({ length: REQUESTS }, () => randomUUID());
    all.push(...keys);
    let answers = 0;
    // The kill comes at a random moment before the first response, or soon after a later one.
    const killed = Promise.withResolvers<void>();
    const killSoon = () =>
      void setTimeout(random() * 4).then(() => killed.resolve(void child.kill('SIGKILL')));
    if (kill === 0) killSoon();
    const sent = keys.map(async (key) => {
      const answer = await post(base, key);
      if (answer && ++answers === 2 * kill) killSoon();
      return answer;
    });
    await killed.promise;
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    const seen = await Promise.all(sent);

    service = start();
    base = await serviceAddress(service);
    for (const [n, key] of keys.entries()) {
      const again = await post(base, key);
      assert.equal(again?.status, 202, again?.body);
      if (seen[n]) assert.deepEqual(again, { ...seen[n], replayed: true });
      assert.deepEqual(await post(base, key), { ...again, replayed: true });
    }
  }
  const created = (await allJobs(await serviceAddress(service))).map(({ metadata }) => metadata['key']);
  assert.deepEqual(created.toSorted(), all.toSorted());
});
