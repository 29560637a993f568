import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { AtelierError } from '../../../src/errors.ts';
import { createMemoryLedger } from '../../../src/services/memory/ledger.ts';
import { trainingJobBytes } from '../../../src/services/memory/limits.ts';
import { createJobRequirement } from '../../../src/services/queueing/requirement.ts';
import { SOLITARY_AFTER_UNCLEAN_ENDS } from '../../../src/store/jobs/status.ts';
import { request } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

const images = { pixels: new Uint8Array(0), labels: new Uint8Array(0) };
const dataset = {
  id: 'fashion-mnist',
  imageShape: [28, 28] as const,
  digest: '',
  train: images,
  validation: null,
  learning: images,
  test: images,
};
const catalog = catalogOf({ ...dataset, classNames: ['a', 'b'] });
const bytes = trainingJobBytes(request(), catalog)!;
const roomy = createMemoryLedger({ limit: 2 ** 30, base: 0 });

/** @param job what reading the job gives */
function requirement(job: object | undefined | Error, uncleanEnds = 0, memory = roomy) {
  const get = async () => {
    if (job instanceof Error) throw job;
    return job as TrainingJob | undefined;
  };
  return createJobRequirement({ jobs: { get, uncleanEnds: async () => uncleanEnds }, catalog, memory })(
    'job_1',
  );
}
const job = { ...request(), id: 'job_1' };

test('a job reserves its estimate, and says how much that is', async () => {
  const found = await requirement(job, SOLITARY_AFTER_UNCLEAN_ENDS - 1);
  assert.deepEqual([found?.dataset, found?.bytes], ['fashion-mnist', bytes]);
  // Three quarters of 1 GiB.
  assert.match(found!.reason, /^The job takes about \d+ MiB of memory, and jobs together 768 MiB\.$/);
});

test('a job during which the process has ended several times reserves everything, so that it runs alone', async () => {
  const ends = SOLITARY_AFTER_UNCLEAN_ENDS;
  assert.deepEqual(await requirement(job, ends), {
    dataset: 'fashion-mnist',
    bytes: 0.75 * 2 ** 30,
    reason: `The job runs alone, because the process ended at least ${ends} times while it ran.`,
  });
});

test('a job that cannot run reserves nothing, and fails when it starts', async () => {
  assert.equal(await requirement(undefined), null);
  assert.equal(await requirement(new AtelierError('state-unusable', 'The row is damaged.')), null);
  assert.equal(await requirement({ ...job, dataset: 'deleted' }), null);
  const large = { ...job, network: { ...job.network, hidden: [2048, 2048] } };
  assert.ok(await requirement(large));
  assert.equal(await requirement(large, 0, createMemoryLedger({ limit: 1, base: 0 })), null);
  const outage = new AtelierError('storage-unavailable', 'The database is away.');
  await assert.rejects(requirement(outage), outage);
});
