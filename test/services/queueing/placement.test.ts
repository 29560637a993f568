import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { trainingJobBytes } from '../../../src/services/memory/limits.ts';
import { createJobPlacement, sharedCapacity } from '../../../src/services/queueing/placement.ts';
import { encode } from '../../../src/store/database/json-column.ts';
import type { Replica } from '../../../src/store/postgres/replicas/processes.ts';
import { newJob, request, temporaryStore } from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';

const catalog = catalogOf(WITHOUT_IMAGES);
const BYTES = trainingJobBytes(request(), catalog)!;

const [OLD, NEW] = ['sha256:old', 'sha256:new'];
const originOf = (digest: string) => encode({ kernel: { name: 'kernel', digest }, fused: true });

type Changes = { slots?: number; jobBytes?: number; kernel?: string };

const replica = (id: string, { slots = 2, jobBytes = BYTES, kernel = OLD }: Changes = {}): Replica => ({
  id,
  role: 'worker',
  slots,
  jobBytes,
  environment: { kernel, fused: true },
});

/** The replicas that leave a job to others. */
async function leftBy(
  t: TestContext,
  replicas: readonly Replica[],
  origin: string | null,
): Promise<string[]> {
  const { jobs, ...store } = await temporaryStore(t);
  const id = await newJob({ jobs, ...store });
  const left: string[] = [];
  for (const { id: self } of replicas) {
    const placement = createJobPlacement({ replicas: { id: self, live: () => replicas }, jobs, catalog });
    if (await placement.isLeft({ id, origin })) left.push(self);
  }
  return left;
}

test('a job stays with the kernel of its checkpoints, as long as a replica has it', async (t) => {
  const old = replica('old');
  const updated = replica('updated', { kernel: NEW });
  assert.deepEqual(await leftBy(t, [old, updated], originOf(OLD)), ['updated']);
  assert.deepEqual(await leftBy(t, [old, updated], null), []);
  assert.deepEqual(await leftBy(t, [old, updated], 'damaged'), []);
  assert.deepEqual(await leftBy(t, [updated], originOf(OLD)), []);
  const api = replica('api', { slots: 0 });
  assert.deepEqual(await leftBy(t, [api, updated], originOf(OLD)), []);
});

test('a job goes to a replica with enough memory, even if its kernel differs', async (t) => {
  const small = replica('small', { jobBytes: BYTES - 1 });
  const large = replica('large', { kernel: NEW });
  assert.deepEqual(await leftBy(t, [small, large], null), ['small']);
  assert.deepEqual(await leftBy(t, [small, large], originOf(OLD)), ['small']);
  // The job fails with the reason when it starts.
  assert.deepEqual(await leftBy(t, [small, replica('smaller', { jobBytes: 1 })], null), []);
});

test('counts the slots of all live replicas', async (t) => {
  const { jobs } = await temporaryStore(t);
  const live = () => [replica('a'), replica('b', { slots: 3, jobBytes: 1 }), replica('c', { slots: 0 })];
  const placement = createJobPlacement({ replicas: { id: 'a', live }, jobs, catalog });
  assert.deepEqual(sharedCapacity({ live }), { slots: 5, jobBytes: replica('a').jobBytes + 1 });
  assert.equal(placement.hasPeerFor(1), true);
  assert.equal(placement.hasPeerFor(2), false);
});

test('a damaged job is left to no other replica for its size, and its peers are the suitable others', async () => {
  const live = () => [
    replica('small', { jobBytes: 1 }),
    replica('large'),
    replica('updated', { kernel: NEW }),
    replica('api', { slots: 0 }),
  ];
  let damaged = true;
  const jobs = {
    get: async () => {
      if (damaged) throw new Error('The row is damaged.');
      return request();
    },
  } as unknown as Parameters<typeof createJobPlacement>[0]['jobs'];
  const placement = createJobPlacement({ replicas: { id: 'small', live }, jobs, catalog });
  const job = { id: 'job_1', origin: null };
  const peers = async (origin: string | null) =>
    (await placement.peersFor({ ...job, origin })).map(({ id, slots }) => [id, slots]);
  assert.equal(await placement.isLeft(job), false);
  assert.deepEqual(await peers(null), [
    ['large', 2],
    ['updated', 2],
  ]);
  assert.deepEqual(await peers(originOf(NEW)), [['updated', 2]]);
  damaged = false;
  assert.equal(await placement.isLeft(job), true);
  assert.deepEqual(await peers(originOf(NEW)), [['updated', 2]]);
});
