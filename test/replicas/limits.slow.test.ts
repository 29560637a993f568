/** Limits and idempotency keys hold for all processes on one database together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { startCluster } from '../support/cluster.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { requestJson } from '../support/start-process.ts';
import { tiny } from '../support/start-service.ts';

const options = { skip: withoutPostgres };
const KEYS = 200;
const QUEUE_LIMIT = 20;
const REQUESTS = 500;
const AT_ONCE = 60;

function post(base: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${base}/v1/training-jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(tiny()),
  });
}

/** Runs all, so many at once. */
async function inParallel<T>(count: number, run: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const runner = async () => {
    while (next < count) {
      const n = next;
      next += 1;
      results[n] = await run(n);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runner));
  return results;
}

/** Replicas that accept jobs and run none. */
function startReplicas(t: Parameters<typeof startCluster>[0], url: string, replicas: number, limit: number) {
  const settings = { ROLE: 'api', QUEUE_LIMIT: String(limit), MAX_EVENT_LOOP_DELAY_MS: '60000' };
  return startCluster(t, url, replicas, settings);
}

test(`${KEYS} keys sent to two replicas at once make ${KEYS} jobs`, options, async (t) => {
  const { replicas } = await startReplicas(t, await temporaryDatabase(t), 2, 1000);
  const ids = await inParallel(KEYS, async (n) => {
    const headers = { 'idempotency-key': `key-${n}` };
    const responses = await Promise.all(replicas.map(({ base }) => post(base, headers)));
    const bodies = await Promise.all(responses.map((response) => response.text()));
    assert.deepEqual(
      responses.map(({ status }) => status),
      [202, 202],
      bodies.join('\n'),
    );
    assert.equal(bodies[0], bodies[1]);
    assert.equal(responses.filter(({ headers: sent }) => sent.has('idempotency-replayed')).length, 1);
    return (JSON.parse(bodies[0]!) as TrainingJob).id;
  });
  assert.equal(new Set(ids).size, KEYS);
  const stored = new Set<string>();
  for (const { base } of replicas) {
    for (let after = ''; ; ) {
      const page = `${base}/v1/training-jobs?limit=100${after && `&after=${after}`}`;
      const { data } = await requestJson<{ data: TrainingJob[] }>(page);
      for (const { id } of data) stored.add(id);
      if (data.length < 100) break;
      after = data.at(-1)!.id;
    }
  }
  assert.deepEqual([...stored].sort(), ids.toSorted());
});

test(`of ${REQUESTS} jobs sent to three replicas, ${QUEUE_LIMIT} are queued`, options, async (t) => {
  const { replicas } = await startReplicas(t, await temporaryDatabase(t), 3, QUEUE_LIMIT);
  const statuses = await inParallel(REQUESTS, async (n) => {
    const response = await post(replicas[n % replicas.length]!.base);
    const text = await response.text();
    assert.ok(response.status === 202 || /queue-full/.test(text), text);
    return response.status;
  });
  const accepted = statuses.filter((status) => status === 202).length;
  assert.deepEqual([accepted, statuses.length], [QUEUE_LIMIT, REQUESTS]);
});
