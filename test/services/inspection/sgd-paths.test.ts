import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type SgdPathQuery, sgdPathQuerySchema, sgdPathSchema } from '../../../src/domain/checks/sgd-path.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { AtelierError } from '../../../src/errors.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../../src/numerics/network/image-shape.ts';
import { planeSeconds, retrainingSeconds } from '../../../src/numerics/sgd-path/cost.ts';
import { createSgdPathService, MAX_PATH_SECONDS } from '../../../src/services/inspection/sgd-paths.ts';
import { createModelService, type ModelService } from '../../../src/services/models/catalog.ts';
import { buildTrainingPlan } from '../../../src/services/training/plan.ts';
import { createNumericPool, type NumericPool } from '../../../src/workers/pools.ts';
import type { SgdPathTask } from '../../../src/workers/tasks/sgd-path.ts';
import { stripes } from '../../numerics/fixtures.ts';
import { request, temporaryStore, trained, untouched } from '../../store/fixtures.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';
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
    validation: null,
    learning: examples,
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

/** A service whose thread answers at once, and the tasks that it was given. Of 60,000 images, a tenth is held out. */
function withoutThread() {
  const labels = Uint8Array.from({ length: 60_000 }, (_, n) => n % 10);
  const dataset = { ...WITHOUT_IMAGES, digest: 'images', train: { pixels: new Uint8Array(0), labels } };
  const tasks: SgdPathTask[] = [];
  const numeric = {
    run: async (_name: string, task: SgdPathTask) => {
      tasks.push(task);
      return { digest: 'ended', explainedVariance: [0.5, 0.25], points: [], surface: {}, examples: 1 };
    },
  };
  const service = createSgdPathService(
    catalogOf(dataset),
    {} as ModelService,
    numeric as unknown as NumericPool,
    async () => null,
  );
  const validated = { ...request(), training: { ...request().training, validation: { fraction: 0.1 } } };
  const compute = (steps: number, query: Partial<SgdPathQuery> = {}, changes: Partial<TrainingJob> = {}) => {
    const stoppedAt = { step: steps, reason: 'completed' };
    const receipt = { mixed: false, request: validated, dataset, kernel: {}, fused: true, stoppedAt };
    const ended = { id: 'job_1', status: 'succeeded', digest: 'ended', receipt, ...changes };
    return service.compute(
      ended as unknown as TrainingJob,
      { ...sgdPathQuerySchema.parse({}), ...query },
      new AbortController().signal,
    );
  };
  const plan = buildTrainingPlan(validated, dataset, null, null);
  const taskOf = (steps: number, query: Partial<SgdPathQuery> = {}) => ({
    ...{ plan, train: dataset.train, steps },
    ...sgdPathQuerySchema.parse({}),
    ...query,
  });
  return { compute, tasks, taskOf, receipt: { mixed: false, request: validated, dataset } };
}

/** The largest number, at most `high`, for which `holds` is true, if it is for all below it. */
function largest(high: number, holds: (n: number) => boolean): number {
  let [low, end] = [0, high];
  for (let middle = end / 2; middle !== low && middle !== end; middle = (low + end) / 2) {
    if (holds(middle)) low = middle;
    else end = middle;
  }
  return low;
}

test('a path may take exactly half a minute, and no longer', async () => {
  const { compute, tasks, taskOf } = withoutThread();
  const steps = 1100;
  const plane = { snapshots: 200, grid: 50 };
  const seconds = (examples: number) => planeSeconds(taskOf(steps, { ...plane, examples }));
  const remaining = MAX_PATH_SECONDS - retrainingSeconds(taskOf(steps));
  // Also fractions of images, because no whole number takes exactly as long as is allowed.
  const most = largest(54_000, (examples) => seconds(examples) <= remaining);
  assert.equal(seconds(most), remaining);
  await compute(steps, { ...plane, examples: most });
  assert.equal(tasks[0]!.examples, most);
  const allowed = Math.floor(most);
  const detail = `must be at most ${allowed} with these snapshots and this grid`;
  await assert.rejects(compute(steps, { ...plane, examples: allowed + 1 }), {
    code: 'path-too-costly',
    message: `The path of training job job_1 takes about 31 seconds; the limit is 30. examples ${detail}.`,
    details: [{ parameter: 'examples', detail }],
  });
  assert.equal((await compute(steps, { ...plane, examples: allowed })).agrees, true);
  assert.equal(tasks.length, 2);
});

test('a path with at least 500 images is suggested before a smaller plane, and a smaller plane before none', async () => {
  const { compute, tasks, taskOf } = withoutThread();
  const fits = (steps: number, query: Partial<SgdPathQuery>) =>
    planeSeconds(taskOf(steps, query)) <= MAX_PATH_SECONDS - retrainingSeconds(taskOf(steps));
  const last = (query: Partial<SgdPathQuery>) => Math.floor(largest(1e6, (n) => fits(Math.floor(n), query)));
  const small = { snapshots: 20, grid: 10, examples: 500 };
  const [lastOfMany, lastOfSmall] = [last({ examples: 500 }), last(small)];
  await compute(lastOfMany, { examples: 500 });
  await assert.rejects(compute(lastOfMany), /seconds; the limit is 30\. examples must be at most 500 with/);
  const suggestion = /Send \?snapshots=20&grid=10&examples=500 instead\.$/;
  const details = ['snapshots', 'grid', 'examples'].map((parameter) => ({
    parameter,
    detail: 'must be lower: ?snapshots=20&grid=10&examples=500 fits',
  }));
  await assert.rejects(compute(lastOfMany + 1), { message: suggestion, details });
  await assert.rejects(compute(lastOfSmall), { message: suggestion, details });
  await compute(lastOfSmall, small);
  assert.equal(tasks.length, 2);
  for (const query of [{}, small]) {
    await assert.rejects(compute(lastOfSmall + 1, query), {
      message: /Training it again alone takes 30: more than allowed\.$/,
      details: [],
    });
  }
});

test('a path of two steps has three points, and is computed once for each job and query', async () => {
  const { compute, tasks } = withoutThread();
  await assert.rejects(compute(1), /job_1 took 1 step\. A plane needs at least three points/);
  await assert.rejects(compute(0), /job_1 took 0 steps\./);
  for (let round = 0; round < 2; round++) {
    const { digest, agrees, explainedVariance, examples } = await compute(2);
    assert.deepEqual([digest, agrees, explainedVariance, examples], ['ended', true, [0.5, 0.25], 1]);
    assert.equal((await compute(2, { margin: 1 }, { digest: 'another' })).agrees, false);
    await compute(2, {}, { id: 'job_2' });
  }
  assert.equal(tasks.length, 3);
  assert.deepEqual([tasks[0]!.steps, tasks[0]!.examples, tasks[1]!.margin], [2, 2500, 1]);
});

test('only a path of a training that its budget ended stops at its step, and no image held out is measured', async () => {
  const { compute, tasks, receipt } = withoutThread();
  for (const [n, reason] of (['budget', 'completed'] as const).entries()) {
    const ended = { ...receipt, kernel: {}, fused: true, stoppedAt: { step: 7, reason } };
    const changes = { id: reason, receipt: ended as unknown as TrainingJob['receipt'] };
    await compute(7, { examples: 1_000_000, grid: 2, snapshots: 3 }, changes);
    assert.deepEqual([tasks[n]!.plan.stopAtStep, tasks[n]!.examples], [n === 0 ? 7 : null, 54_000]);
  }
});
