/** Jobs that several replicas create at the same time. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { startService, tiny } from '../../support/start-service.ts';

const REPLICAS = 3;
/** Few enough that no request waits for a connection to the database until it gets a 503, on a slow machine either. */
const LIMIT = 100;
const KEYS = 80;

const scope = { after };
let apps: FastifyInstance[] = [];
if (!withoutPostgres) {
  const environment = {
    DATABASE_URL: await temporaryDatabase(scope),
    QUEUE_LIMIT: String(LIMIT),
    ROLE: 'api',
    STARTER_JOB: 'on',
  };
  const services = await Promise.all(
    Array.from({ length: REPLICAS }, () => startService(scope, environment)),
  );
  apps = services.map(({ app }) => app);
}

const create = (app: FastifyInstance, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: '/v1/training-jobs', headers, payload: tiny() });

const allIds = async (app: FastifyInstance, filter = '') => {
  const ids: string[] = [];
  for (let after = ''; ; ) {
    const { data, hasMore } = (await app.inject(`/v1/training-jobs?limit=100${filter}${after}`)).json();
    ids.push(...data.map(({ id }: { id: string }) => id));
    if (!hasMore) return ids;
    after = `&after=${ids.at(-1)}`;
  }
};

describe('replicas', { skip: withoutPostgres }, () => {
  test('that start at once on an empty database create one starter job', async () => {
    for (const app of apps) assert.equal((await allIds(app)).length, 1);
  });

  test(`create ${KEYS} jobs of ${KEYS} keys that each of two receives at once`, async () => {
    const keys = Array.from({ length: KEYS }, (_, n) => `key-${n}`);
    const pairs = await Promise.all(
      keys.map((key) => Promise.all(apps.slice(0, 2).map((app) => create(app, { 'idempotency-key': key })))),
    );
    for (const [first, second] of pairs) {
      assert.deepEqual([first!.statusCode, second!.statusCode], [202, 202]);
      assert.equal(first!.body, second!.body);
    }
    const created = new Set(pairs.map(([first]) => first!.json().id));
    assert.equal(created.size, KEYS);
    assert.equal((await allIds(apps[2]!)).length, KEYS + 1);
  });

  test('queue exactly as many jobs as the limit', async () => {
    const responses = await Promise.all(Array.from({ length: LIMIT }, (_, n) => create(apps[n % REPLICAS]!)));
    const counts = Map.groupBy(responses, ({ statusCode }) => statusCode);
    assert.deepEqual([...counts.keys()].toSorted(), [202, 429]);
    // The jobs of the test before have been cancelled.
    const ids = await allIds(apps[0]!, '&status=queued');
    assert.equal(ids.length, LIMIT);
    assert.deepEqual(ids, ids.toSorted().reverse());
  });
});
