/** Jobs with a damaged JSON column. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { WebhookMessage } from '../../../src/domain/jobs/webhook-message.ts';
import type { CommittedEvent } from '../../../src/store/database/committed-events.ts';
import { failure, newJob, openWithConnection, request, untouched } from '../fixtures.ts';

async function openDamageable(t: TestContext) {
  const { store, raw } = await openWithConnection(t);
  return {
    store,
    damage: (id: string, column = 'request') =>
      void raw.prepare(`update jobs set ${column} = '{x' where id = ?`).run(id),
    read: (id: string) => raw.prepare('select * from jobs where id = ?').get(id)!,
  };
}

const types = (events: readonly { type: string; data: object }[]) =>
  events.map(({ type, data }) => (type === 'status' && 'to' in data ? data.to : type));

// `circumstances` is not among them, because it is written anew at each start.
for (const column of ['request', 'progress', 'latest', 'expectation', 'notify']) {
  test(`a queued job with a damaged ${column} fails when it is started`, async (t) => {
    const { store, damage, read } = await openDamageable(t);
    const [id, next] = [await newJob(store), await newJob(store)];
    damage(id, column);
    const committed: CommittedEvent[] = [];
    store.events.onCommitted((_, events) => committed.push(...events));
    assert.equal((await store.jobs.nextQueued())?.id, id);
    assert.equal(await store.jobs.start(id), null);
    assert.equal((await store.jobs.nextQueued())?.id, next);
    const row = read(id);
    assert.deepEqual([row['status'], row['error_code']], ['failed', 'state-unusable']);
    assert.deepEqual([row['stopped_step'], row['stopped_reason']], [0, 'failed']);
    assert.match(String(row['error_message']), /row .* is damaged.* Start a new job/);
    assert.ok(row['finished_at']);
    const { data } = await store.events.list(id, { limit: 10 });
    assert.deepEqual(types(data), ['queued', 'running', 'error', 'failed']);
    assert.deepEqual(
      data.map((event) => event.id),
      [1, 2, 3, 4],
    );
    assert.deepEqual(types(committed), ['running', 'error', 'failed']);
    assert.equal(committed.at(-1)!.job?.error?.code, 'state-unusable');
  });
}

test('the webhook of a damaged job reports its failure', async (t) => {
  const { store, damage } = await openDamageable(t);
  const notify = { url: 'https://hooks.example/', secret: 'whsec_' };
  const { id } = await store.jobs.create(request(), untouched, { notify });
  damage(id);
  for (const column of ['notify', 'publication']) damage(id, column);
  assert.equal(await store.jobs.start(id), null);
  const message = await store.webhooks.claim(new Date(Date.now() + 1000), new Date());
  const { type, data } = JSON.parse(message!.body) as WebhookMessage;
  assert.deepEqual(
    [type, data.id, data.modelName, data.error!.code],
    ['training-job.failed', id, null, 'state-unusable'],
  );
});

test('lists leave out damaged jobs, with full pages, and reading a damaged job reports the damage', async (t) => {
  const { store, damage } = await openDamageable(t);
  const ids: string[] = [];
  for (let n = 0; n < 6; n++) ids.unshift(await newJob(store));
  for (const n of [0, 2, 3]) damage(ids[n]!);
  const list = async (limit: number, after?: string) => {
    const { data, hasMore } = await store.jobs.list({ limit, after });
    return [data.map(({ id }) => ids.indexOf(id)), hasMore];
  };
  assert.deepEqual(await list(2), [[1, 4], true]);
  assert.deepEqual(await list(2, ids[4]), [[5], false]);
  assert.deepEqual(await list(3), [[1, 4, 5], false]);
  assert.deepEqual(await list(10), [[1, 4, 5], false]);
  await assert.rejects(
    store.jobs.get(ids[0]!),
    failure('state-unusable', 'does not contain valid JSON', 'backup'),
  );
  assert.equal((await store.datasets.usedBy(['queued'])).size, 3);
});

test('after a kill, active jobs with a damaged row fail, and the others are queued', async (t) => {
  const { store, damage, read } = await openDamageable(t);
  const [damaged, cancelling, whole] = [
    await newJob(store, 'running'),
    await newJob(store, 'cancelling'),
    await newJob(store, 'running'),
  ];
  damage(damaged);
  damage(cancelling, 'progress');
  const recovered = await store.jobs.recoverInterrupted();
  assert.deepEqual(
    recovered.map(({ id, status }) => [id, status]),
    [[whole, 'queued']],
  );
  for (const id of [damaged, cancelling]) assert.equal(read(id)['status'], 'failed');
});

test('the jobs ahead of a new one are listed in their order, without a damaged one', async (t) => {
  const { store, damage } = await openDamageable(t);
  const [first, damaged, third, fourth] = [
    await newJob(store),
    await newJob(store),
    await newJob(store),
    await newJob(store),
  ];
  damage(damaged);
  const ahead = async (limit: number) => (await store.jobs.listAhead(0, limit)).map(({ id }) => id);
  assert.deepEqual(await ahead(10), [first, third, fourth]);
  assert.deepEqual(await ahead(3), [first, third]);
  assert.deepEqual(await store.jobs.listAhead(1, 10), []);
});
