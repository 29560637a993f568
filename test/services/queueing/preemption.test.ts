import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { createJobPreemption } from '../../../src/services/queueing/preemption.ts';
import { request, runOf, startRun, temporaryStore, untouched } from '../../store/fixtures.ts';

/** Every job takes one of the three units that jobs can reserve together. */
async function preemptionFor(t: TestContext) {
  const store = await temporaryStore(t);
  const memory = createMemoryLedger({ limit: 2 ** 30, base: 0 });
  const unit = memory.jobBudget / 3;
  let required = unit;
  const base = {
    jobs: store.jobs,
    memory,
    readRequirement: async () => ({ dataset: 'fashion-mnist', bytes: required, reason: '' }),
  };
  const create = async (priority: number) =>
    (await store.jobs.create({ ...request(), priority }, untouched)).id;
  return {
    store,
    base,
    preempt: createJobPreemption(base),
    create,
    async run(priority: number, units = 1, runner?: string) {
      const id = await create(priority);
      if (runner === undefined) await startRun(store, id);
      else await store.jobs.start(id, { runner });
      memory.reserveForJob(units * unit);
      return { id, bytes: units * unit };
    },
    require: (units: number) => {
      required = units * unit;
    },
  };
}

test('stops the youngest job of the lowest priority, and none of equal priority', async (t) => {
  const { preempt, create, run, require } = await preemptionFor(t);
  const [usual, low, alsoLow] = [await run(0, 0), await run(-1, 0), await run(-1, 0)];
  const running = [usual, low, alsoLow];
  require(0);
  assert.equal(await preempt(await create(-1), running, 'slot'), undefined);
  assert.equal(await preempt(await create(1), running, 'slot'), alsoLow.id);
});

test('only one job at a time stops for a waiting one, and another one if the slot was taken', async (t) => {
  const { store, base, preempt, create, run, require } = await preemptionFor(t);
  const [low, alsoLow] = [await run(0, 0), await run(0, 0)];
  require(0);
  const waiting = await create(5);
  assert.equal(await preempt(waiting, [low, alsoLow], 'slot'), alsoLow.id);
  assert.equal(await createJobPreemption(base)(waiting, [low], 'slot'), undefined, 'in another process');
  assert.equal(
    await preempt(waiting, [low, alsoLow], 'slot'),
    alsoLow.id,
    'it was recorded, but not stopped',
  );
  await runOf(alsoLow.id).release(0, waiting);
  const other = await create(6);
  await startRun(store, other);
  assert.equal(await preempt(waiting, [low, { id: other, bytes: 0 }], 'slot'), low.id);
});

test('no job stops if a slot is about to become free, or for a job that is no longer waiting', async (t) => {
  const { store, preempt, create, run, require } = await preemptionFor(t);
  const [low, pausing] = [await run(0, 0), await run(3, 0)];
  require(0);
  const waiting = await create(5);
  await store.jobs.requestPause(pausing.id);
  assert.equal(await preempt(waiting, [low, pausing], 'slot'), undefined);
  await store.jobs.requestPause(waiting);
  assert.equal(await preempt(waiting, [low], 'slot'), undefined);
});

test('a job stops only if its memory suffices for the waiting one', async (t) => {
  const { base, preempt, create, run, require } = await preemptionFor(t);
  const [small, large] = [await run(-2, 1), await run(-1, 2)];
  const running = [small, large];
  const waiting = await create(0);
  require(3);
  assert.equal(await preempt(waiting, running, 'slot'), undefined);
  require(2);
  assert.equal(await preempt(waiting, running, 'memory'), large.id);
  require(0);
  assert.equal(base.memory.fitsJobs(0), true);
  assert.equal(await preempt(await create(0), running, 'memory'), undefined, 'requests hold the memory');
});

test('free slots of other processes are used first, and one process stops one job', async (t) => {
  const { base, create, run, require } = await preemptionFor(t);
  require(0);
  const [onA, onB] = [await run(0, 0, 'a'), await run(-1, 0, 'b')];
  const waiting = await create(5);
  const processOf = (peer: string, slots: number, patienceMs = 60_000) =>
    createJobPreemption({ ...base, patienceMs, peersFor: async () => [{ id: peer, slots }] });
  assert.equal(await processOf('b', 2)(waiting, [onA], 'slot'), undefined, 'b has a free slot');
  assert.equal(await processOf('b', 1)(waiting, [onA], 'slot'), undefined, 'b runs the lowest job');
  const [a, b] = [processOf('b', 1, 0), processOf('a', 1, 0)];
  const stopped = await Promise.all([a(waiting, [onA], 'slot'), b(waiting, [onB], 'slot')]);
  assert.equal(stopped.filter((id) => id !== undefined).length, 1);
});

test('no job stops if a slot of another process is about to become free', async (t) => {
  const { base, store, create, run, require } = await preemptionFor(t);
  require(0);
  const [onA, onB] = [await run(-1, 0, 'a'), await run(0, 0, 'b')];
  const waiting = await create(5);
  const preempt = createJobPreemption({
    ...base,
    patienceMs: 60_000,
    peersFor: async () => [{ id: 'b', slots: 1 }],
  });
  await store.jobs.requestPause(onB.id);
  assert.equal(await preempt(waiting, [onA], 'slot'), undefined);
});

test('a job that cannot run needs no memory, so that another one stops for it', async (t) => {
  const { base, create, run } = await preemptionFor(t);
  const low = await run(0, 3);
  const preempt = createJobPreemption({ ...base, readRequirement: async () => null });
  assert.equal(await preempt(await create(1), [low], 'slot'), low.id);
  assert.equal(await preempt(await create(1), [low], 'memory'), undefined);
});
