/** Replicas that share a database know at once what others change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWaitForEnd } from '../../../src/services/events/wait-for-end.ts';
import { calibrate, newJob } from '../../store/fixtures.ts';
import { until } from '../../store/postgres/join.ts';
import { temporaryDatabase, withoutPostgres } from '../../support/servers/postgres.ts';
import { publishVersion, startReplica } from './replicas.ts';

test('replicas', { skip: withoutPostgres }, async (t) => {
  const url = await temporaryDatabase(t);
  const a = await startReplica(t, url);
  const b = await startReplica(t, url);
  await until(() => [a, b].every(({ store }) => store.notices.mode() === 'listening'));

  await t.test('an alias moved on one is current on the other after the response', async () => {
    for (let version = 1; version <= 2; version++) await publishVersion(a, 'digits');
    for (let move = 0; move < 100; move++) {
      const version = 1 + (move % 2);
      await a.registry.moveAlias('digits', 'champion', version, 'me');
      for (const name of ['champion', undefined]) {
        const { reference } = await b.models.load('digits', name);
        assert.equal(reference.version, version, `move ${move}`);
      }
    }
  });

  await t.test(
    'names of other models are resolved without the database, and the changed model only once',
    async () => {
      await publishVersion(a, 'letters');
      await b.models.load('letters');
      await b.models.load('digits');
      await a.registry.moveAlias('digits', 'other', 1, 'me');
      const letters = b.models.load('letters');
      assert.ok(!(letters instanceof Promise), 'only the names of the changed model are resolved again');
      assert.ok(b.models.load('digits') instanceof Promise);
      await b.models.load('digits');
      assert.ok(!(b.models.load('digits') instanceof Promise));
    },
  );

  await t.test('a version deleted on one is gone on the other after the response', async () => {
    const version = await publishVersion(a, 'digits');
    await b.models.load('digits', version);
    assert.ok(!(b.models.load('digits', version) instanceof Promise));
    const before = b.models.revision();
    await a.registry.removeVersion('digits', version);
    await assert.rejects(async () => b.models.load('digits', version), { code: 'model-not-found' });
    assert.notEqual(b.models.revision(), before, 'lists are read again');
  });

  await t.test('a version calibrated on one is calibrated on the other after the response', async () => {
    const version = await publishVersion(a, 'digits');
    assert.equal((await b.models.version('digits', version)).calibration, null);
    const digest = await calibrate(a.store, 'digits', version, 'arrays');
    await a.models.invalidateEverywhere();
    assert.equal((await b.models.version('digits', version)).calibration?.digest, digest);
    assert.equal(Buffer.from(await b.store.blobs.get(digest)).toString(), 'arrays');
  });

  await t.test('a job that ends on one ends the waits on the other', async () => {
    const jobId = await newJob(a.store);
    const waited = createWaitForEnd(b.store)(jobId, new AbortController().signal);
    await a.store.jobs.requestCancel(jobId);
    await waited;
  });

  await t.test(
    'events written on one reach the subscribers of the other, in order and without gaps',
    async (subtest) => {
      const jobId = await newJob(a.store, 'running');
      const written = new Map<number, number>();
      const lags: number[] = [];
      const stream = await b.subscribe(jobId, { after: 0, parameter: 'after' });
      const received: number[] = [];
      const following = (async () => {
        for await (const page of stream!(new AbortController().signal)) {
          for (const { id } of page) {
            received.push(id);
            if (written.has(id)) lags.push(performance.now() - written.get(id)!);
            if (id === 102) return;
          }
        }
      })();
      for (let event = 3; event <= 102; event++) {
        const before = performance.now();
        const { id } = await a.store.events.append(jobId, 'warning', { message: `${event}` });
        written.set(id, before);
      }
      await following;
      assert.deepEqual(
        received,
        Array.from({ length: 102 }, (_, index) => index + 1),
      );
      lags.sort((x, y) => x - y);
      subtest.diagnostic(
        `lag: ${lags[Math.floor(lags.length / 2)]?.toFixed(1)} ms median, ${lags.at(-1)?.toFixed(1)} ms at most`,
      );
    },
  );
});
