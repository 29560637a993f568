import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sgdPathQuerySchema, sgdPathSchema } from '../../../src/domain/checks/sgd-path.ts';
import { AtelierError } from '../../../src/errors.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { createSgdPathService } from '../../../src/services/inspection/sgd-paths.ts';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createNumericPool } from '../../../src/workers/pools.ts';
import { stripes } from '../../numerics/fixtures.ts';
import { request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';
import { DATA_DIR } from '../../support/data-directory.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  queueJob,
  startService,
  tiny,
  train,
} from '../../support/start-service.ts';

const { app } = await startService({ after }, { DATA_DIR });
const training = { epochs: 1, batchSize: 1024, validation: null };
const job = await train(app, tiny({ modelName: 'path', training }));
const get = (query: string, id = job.id, headers = {}) =>
  app.inject({ url: `/v1/training-jobs/${id}/path${query}`, headers });

test('a path ends at the published version, with the figures of an evaluation', async () => {
  const query = '?snapshots=4&grid=2&examples=1000000&margin=0.5';
  const [first, concurrent] = await Promise.all([get(query), get(query)]);
  assert.equal(first.statusCode, 200, first.body);
  assert.equal(concurrent.body, first.body);
  const path = sgdPathSchema.strict().parse(first.json());
  const { points, surface, ...rest } = path;
  assert.deepEqual(
    { ...rest, explainedVariance: null },
    {
      jobId: job.id,
      agrees: true,
      digest: job.digest,
      explainedVariance: null,
      examples: 60_000,
      split: 'train',
    },
  );
  assert.deepEqual(
    points.map(({ step, epoch }) => [step, epoch]),
    [
      [0, 0],
      [7, 1],
      [26, 1],
      [59, 1],
    ],
  );
  const evaluation = (await app.inject('/v1/models/path/versions/1/evaluation?split=train')).json();
  assert.ok(Math.abs(points.at(-1)!.loss - evaluation.loss) < 1e-6);
  const xs = points.map(({ x }) => x);
  const extent = Math.max(...xs) - Math.min(...xs);
  assert.ok(Math.abs(surface.x[1]! - surface.x[0]! - 2 * extent) < 1e-9);
  assert.deepEqual([surface.loss.length, surface.loss[0]!.length, surface.y.length], [2, 2, 2]);
  const { etag } = first.headers;
  assert.equal((await get(query, job.id, { 'if-none-match': etag })).statusCode, 304);
  assert.notEqual((await get('?snapshots=3&grid=2&examples=10')).headers.etag, etag);
});

test('suggests the number of examples that fits', async () => {
  const response = await get('?snapshots=200&grid=50&examples=60000');
  const { detail } = assertProblem(response, 422, 'path-too-costly', 'examples');
  const allowed = Number(/examples must be at most (\d+)/.exec(detail)?.[1]);
  assert.ok(allowed > 1000 && allowed < 60_000, detail);
});

test('only succeeded jobs have a path, within the limits of the query', async () => {
  const { id } = await queueJob(app, endless);
  assert.match(assertProblem(await get('', id), 422, 'impossible-request').detail, /queued|running/);
  await cancelJob(app, id);
  const headers = { 'if-none-match': '*' };
  assertProblem(await get('', id, headers), 422, 'impossible-request');
  assertProblem(await get('', 'job_nobody'), 404, 'training-job-not-found');
  for (const [name, value] of Object.entries({ snapshots: 2, grid: 51, examples: 0, margin: 'wide' })) {
    assertProblem(await get(`?${name}=${value}`), 400, 'invalid-request', name);
  }
});

test('rejects a path that takes longer than half a minute, and suggests options that fit', async (t) => {
  const store = await temporaryStore(t);
  const digest = `sha256:${'d'.repeat(64)}`;
  const [examples, classNames] = [stripes(600, 784, 3), ['a', 'b', 'c']];
  const catalog = catalogOf({
    id: 'fashion-mnist',
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames,
    digest,
    train: examples,
    test: examples,
  });
  const numeric = createNumericPool();
  t.after(() => numeric.close());
  const service = createSgdPathService(
    catalog,
    createModelService(store, catalog),
    numeric,
    async () => null,
  );

  async function reject(steps: number, query: Record<string, number>): Promise<AtelierError> {
    const { id } = await store.jobs.create(request(), untouched);
    const kernel = { name: 'simd-float32', digest: 'sha256:k' };
    const dataset = { id: 'fashion-mnist', digest };
    const run = await store.jobs.start(id, { detectEnvironment: () => ({ dataset, kernel, fused: true }) });
    const ended = await run!.finish({
      status: 'succeeded',
      step: steps,
      reason: 'completed',
      model: trained,
    });
    const computed = service.compute(ended, sgdPathQuerySchema.parse(query), new AbortController().signal);
    const error = await computed.then(
      () => null,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof AtelierError, String(error));
    return error;
  }

  const dense = await reject(200_000, { snapshots: 200, grid: 50 });
  assert.equal(dense.code, 'path-too-costly');
  assert.match(
    dense.message,
    /about 3\d seconds; the limit is 30\. Send \?snapshots=20&grid=10&examples=500 instead\./,
  );
  const never = await reject(1e6, {});
  assert.equal(never.code, 'path-too-costly');
  assert.match(never.message, /Training it again alone takes \d{3,}/);
  const short = await reject(1, {});
  assert.equal(short.code, 'impossible-request');
  assert.match(short.message, /took 1 step\./);
});
