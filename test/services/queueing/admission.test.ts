import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { trainingJobBytes } from '../../../src/services/memory/limits.ts';
import { createJobAdmission } from '../../../src/services/queueing/admission.ts';
import { createJobRequirement } from '../../../src/services/queueing/requirement.ts';
import { request, startRun, temporaryStore, untouched } from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';

const catalog = catalogOf(WITHOUT_IMAGES);
const EACH = trainingJobBytes(request(), catalog)!;

/** A store, and an admission with memory for `count` jobs. */
async function admissionFor(t: TestContext, count: number) {
  const store = await temporaryStore(t);
  const memory = createMemoryLedger({ limit: (count * EACH) / 0.75 + 1, base: 0 });
  const readRequirement = createJobRequirement({ jobs: store.jobs, catalog, memory });
  const admit = createJobAdmission({ jobs: store.jobs, catalog, memory, readRequirement });
  const create = async () => (await store.jobs.create(request(), untouched)).id;
  const waiting = async (id: string) => (await store.jobs.get(id))!.waiting;
  return { store, memory, admit, create, waiting, readRequirement };
}

test('a job waits for memory, with one event that explains it, until a reservation ends', async (t) => {
  const { store, admit, create, waiting } = await admissionFor(t, 2);
  const [first, second, third] = [await create(), await create(), await create()];
  const running = await admit(first);
  assert.ok(running && (await admit(second)));
  assert.equal(await admit(third), null);
  assert.equal(await admit(third), null);
  assert.equal(await waiting(third), 'memory');
  const { data: events } = await store.events.list(third, { limit: 10 });
  assert.deepEqual(
    events.map(({ type }) => type),
    ['status', 'warning'],
  );
  assert.match(String(events[1]!.data['message']), /takes about \d+ MiB of memory/);
  running[Symbol.dispose]();
  assert.ok(await admit(third));
  assert.equal((await startRun(store, third)).job.waiting, null);
});

test('a withdrawn job stops waiting, and requests get the memory again', async (t) => {
  const { store, memory, admit, create, waiting } = await admissionFor(t, 1);
  const [first, second] = [await create(), await create()];
  const running = await admit(first);
  assert.equal(await admit(second), null);
  running?.[Symbol.dispose]();
  await store.jobs.requestPause(second);
  assert.equal(await waiting(second), null);
  memory.stopWaiting();
  using _request = memory.reserve(memory.budget, { what: 'A check' });
});

test('a job that ended the process twice runs alone', async (t) => {
  const { store, memory, admit, create } = await admissionFor(t, 3);
  const [crashing, harmless] = [await create(), await create()];
  for (let end = 1; end <= 2; end++) {
    await startRun(store, crashing);
    await store.jobs.recoverInterrupted();
  }
  const alone = await admit(crashing);
  assert.equal(memory.used(), memory.jobBudget);
  assert.equal(await admit(harmless), null);
  alone?.[Symbol.dispose]();
  const other = await admit(harmless);
  assert.ok(other);
  assert.equal(await admit(crashing), null);
});

test('a job that can never fit, or whose data set is gone, is admitted to fail with the reason', async (t) => {
  const { store, memory, admit } = await admissionFor(t, 1);
  const { network, ...rest } = request();
  for (const asked of [
    { ...rest, network: { ...network, hidden: [4096, 4096] } },
    { ...rest, network, dataset: 'gone' },
  ]) {
    const { id } = await store.jobs.create(asked, untouched);
    assert.ok(await admit(id));
    assert.equal(memory.used(), 0);
  }
});

test('a job is left to other processes with enough memory, and waits if none of them starts it', async (t) => {
  const { store, memory, admit, create, waiting, readRequirement } = await admissionFor(t, 1);
  const [first, second] = [await create(), await create()];
  assert.ok(await admit(first));
  const shared = { jobs: store.jobs, catalog, memory, readRequirement, hasPeerFor: () => true };
  const patient = createJobAdmission(shared);
  assert.equal(await patient(second), null);
  assert.equal(await waiting(second), null);
  const impatient = createJobAdmission({ ...shared, patienceMs: 0 });
  assert.equal(await impatient(second), null);
  assert.equal(await waiting(second), 'memory');
});

test('an outage of the database is not taken for a damaged job', async (t) => {
  const { store, memory } = await admissionFor(t, 1);
  const { id } = await store.jobs.create(request(), untouched);
  const reading = (error: Error) => {
    const jobs = { ...store.jobs, get: () => Promise.reject(error) };
    return createJobRequirement({ jobs, catalog, memory })(id);
  };
  const outage = new AtelierError('storage-unavailable', 'The database is away.');
  await assert.rejects(reading(outage), outage);
  assert.equal(await reading(new AtelierError('state-unusable', 'The row is damaged.')), null);
});

test('requires memory for the job, or all of it after two unclean ends', async (t) => {
  const { store, memory, readRequirement } = await admissionFor(t, 1);
  const { id } = await store.jobs.create(request(), untouched);
  const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  for (const [ends, bytes, reason] of [
    [
      0,
      EACH,
      `The job takes about ${mebibytes(EACH)} of memory, and jobs together ${mebibytes(memory.jobBudget)}.`,
    ],
    [
      1,
      EACH,
      `The job takes about ${mebibytes(EACH)} of memory, and jobs together ${mebibytes(memory.jobBudget)}.`,
    ],
    [2, memory.jobBudget, 'The job runs alone, because the process ended at least 2 times while it ran.'],
  ] as const) {
    assert.deepEqual(await readRequirement(id), { dataset: 'fashion-mnist', bytes, reason }, `${ends} ends`);
    await startRun(store, id);
    await store.jobs.recoverInterrupted();
  }
  assert.equal(await readRequirement('job_unknown'), null);
});
