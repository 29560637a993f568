import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as flush } from 'node:timers/promises';
import {
  type GradientCheck,
  type GradientCheckEvent,
  gradientCheckRequestSchema,
  gradientCheckSchema,
} from '../../../src/domain/checks/gradient.ts';
import { AtelierError } from '../../../src/errors.ts';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { npzBytes } from '../../../src/formats/arrays/npz.ts';
import {
  createGradientCheckService,
  MAX_COST,
  MAX_STREAMED_COST,
} from '../../../src/services/inspection/gradient-checks.ts';
import type { ModelService } from '../../../src/services/models/catalog.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import type { GradientCheckTask } from '../../../src/workers/tasks/gradient-check.ts';
import { importFile } from '../../http/import-file.ts';
import { upload } from '../../http/upload.ts';
import { catalogOf, WITHOUT_IMAGES } from '../../support/catalog.ts';
import { mockWaits } from '../../support/mocked-builtins.ts';
import { shapedImages } from '../../support/shaped-images.ts';
import { assertProblem, startService, tiny, train } from '../../support/start-service.ts';

const logged: string[] = [];
const { app } = await startService({ after }, {}, (line) => logged.push(line));
await app.listen({ port: 0 });

const post = (payload: object, accept = 'application/json', query = '') =>
  app.inject({ method: 'POST', url: `/v1/gradient-checks${query}`, payload, headers: { accept } });

async function check(body: object): Promise<GradientCheck> {
  const response = await post(body);
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(gradientCheckSchema.strict().parse(response.json()), response.json());
  return response.json();
}

test("by default all 31,810 coordinates of the notebook's network are checked and pass", async () => {
  const report = await check({});
  const { passed, reason, advice, scheme, stepSize, tolerance, coordinates, kernel } = report;
  assert.equal(kernel?.name, 'simd-float32');
  assert.ok(kernel.maxRelativeDifference > 0 && kernel.maxRelativeDifference < 1e-5);
  assert.deepEqual(
    { passed, reason, advice, scheme, stepSize, tolerance, coordinates },
    {
      passed: true,
      reason: null,
      advice: null,
      scheme: 'central',
      stepSize: 1e-5,
      tolerance: 1e-6,
      coordinates: 31_810,
    },
  );
  assert.ok(report.relativeError < 1e-7 && report.error > 0 && report.durationMs > 0);
  assert.ok(Math.abs(report.loss - Math.log(10)) < 0.5, 'a fresh network guesses');
  assert.deepEqual(
    report.blocks.map(({ name, shape, coordinates: count }) => [name, shape, count]),
    [
      ['W1', [40, 784], 31_360],
      ['b1', [40], 40],
      ['W2', [10, 40], 400],
      ['b2', [10], 10],
    ],
  );
  assert.ok(report.blocks.every((block) => block.passed && block.allclose && block.worst !== null));
});

test("forward differences use SciPy's step and give SciPy's error", async () => {
  const report = await check({ scheme: 'forward' });
  assert.deepEqual([report.passed, report.stepSize, report.tolerance], [true, 2 ** -26, 1e-4]);
  assert.ok(report.error > 1e-7 && report.error < 1e-5, String(report.error));
});

test('a tolerance below the rounding noise passes by the reported noise allowance', async () => {
  const { noise, passed, blocks, tolerance } = await check({ tolerance: 1e-15 });
  assert.deepEqual([passed, tolerance], [true, 1e-15]);
  for (const block of blocks) {
    assert.ok(block.error > 1e-15 * (block.error / block.relativeError), 'the tolerance alone is exceeded');
    assert.ok(block.error <= block.noise, block.name);
  }
  const ofBlocks = Math.hypot(...blocks.map((block) => block.noise));
  assert.ok(Math.abs(noise - ofBlocks) <= 1e-12 * noise);
});

test('reports a step of 1e-10, as in the starter code, as too small, with advice', async () => {
  const report = await check({ scheme: 'forward', stepSize: 1e-10 });
  assert.deepEqual([report.passed, report.reason], [false, 'step-too-small']);
  assert.match(report.advice!, /Use the default step/);
  assert.ok(report.error > 1e-5, 'about 3e-4');
});

test('a sample checks the requested number of coordinates, the same for the same seed', async () => {
  const body = { coordinates: { sample: 1000 }, seed: 3 };
  const { durationMs: _, ...first } = await check(body);
  const { durationMs: __, ...again } = await check(body);
  assert.equal(first.coordinates, 1000);
  assert.deepEqual(first, again);
  const other = await check({ ...body, seed: 4 });
  assert.notEqual(first.error, other.error);
});

test('examples are the first training images, or the listed ones', async () => {
  const coordinates = { sample: 200 };
  const [first, listed, others] = [
    await check({ coordinates, examples: 3 }),
    await check({ coordinates, examples: [0, 1, 2] }),
    await check({ coordinates, examples: [5_999, 7] }),
  ];
  assert.equal(first.loss, listed.loss);
  assert.notEqual(first.loss, others.loss);
});

test('networks with no and with three hidden layers pass in every block', async () => {
  const flat = await check({ network: { hidden: [] } });
  assert.deepEqual([flat.passed, flat.coordinates, flat.kinks], [true, 7850, 0]);
  const deep = await check({ network: { hidden: [8, 6, 4] }, examples: 3 });
  assert.equal(deep.passed, true);
  const names = deep.blocks.map((block) => block.name);
  assert.deepEqual(names, ['W1', 'b1', 'W2', 'b2', 'W3', 'b3', 'W4', 'b4']);
});

test('a published model is checked by every form of its reference', async () => {
  const job = await train(app, tiny({ modelName: 'checked' }));
  const references = ['checked', 'checked@1', { name: 'checked' }, { name: 'checked', version: 1 }];
  const reports: GradientCheck[] = [];
  for (const model of references) reports.push(await check({ model, examples: 10 }));
  assert.ok(reports.every((report) => report.passed && report.loss === reports[0]!.loss));
  assert.deepEqual(reports[0]!.blocks[0]!.shape, [4, 784]);
  assert.ok(job.latest);
  for (const model of ['nobody', 'checked@2', { name: 'nobody' }]) {
    assertProblem(await post({ model }), 422, 'unknown-model', '#/model');
  }
});

test('as npy the response is the packed gradient, analytic or numeric', async () => {
  const read = async (query: string, body: object = {}) => {
    const response = await post(body, 'application/x-npy', query);
    assert.equal(response.headers['content-type'], 'application/x-npy');
    const { shape, dtype, data } = parseNpy(response.rawPayload);
    assert.deepEqual([shape, dtype], [[31_810], 'f8']);
    return data as Float64Array;
  };
  const [analytic, numeric] = [await read(''), await read('?vector=numeric')];
  assert.deepEqual(await read('?vector=analytic'), analytic);
  const report = await check({});
  const error = Math.hypot(...analytic.map((value, i) => value - numeric[i]!));
  assert.ok(Math.abs(error - report.error) <= 1e-9 * report.error);
  const { index, ...worst } = report.blocks[3]!.worst!;
  const position = 31_800 + index[0]!;
  assert.deepEqual(worst, { analytic: analytic[position], numeric: numeric[position] });
  const sampled = await read('', { coordinates: { sample: 100 } });
  assert.equal(sampled.filter((value) => !Number.isNaN(value)).length, 100);
  assertProblem(await post({}, 'text/csv'), 406, 'not-acceptable');
  assertProblem(await post({}, 'application/x-npy', '?vector=both'), 400, 'invalid-request', 'vector');
});

test('rejects a check that would take too long, with advice that works', async () => {
  const network = { hidden: [1024, 1024] };
  const problem = assertProblem(await post({ network }), 422, 'check-too-costly', '#/coordinates');
  assert.match(problem.detail, /takes \d.* times the limit per request.*"sample": 1000/);
});

test('rejects a network too large for memory, even for one coordinate', async () => {
  const body = { network: { hidden: [4096, 4096] }, coordinates: { sample: 1 }, examples: 1 };
  const problem = assertProblem(await post(body), 422, 'check-too-costly', '#/network/hidden');
  assert.match(problem.detail, /784-4096-4096-10 network has 20,037,642 parameters; .* at most 10,000,000/);
});

test('a large network is checked by a sample, but its gradient is too large for a response', async () => {
  const body = { network: { hidden: [2000] }, coordinates: { sample: 10 }, examples: 1 };
  assert.equal((await check(body)).coordinates, 10);
  assertProblem(await post(body, 'application/x-npy'), 422, 'check-too-costly', 'Accept');
});

test('rejects too many examples by name', async () => {
  const body = { network: { hidden: [4000] }, coordinates: { sample: 1 }, examples: 1000 };
  const problem = assertProblem(await post(body), 422, 'check-too-costly', '#/examples');
  const allowed = Number(/at most (\d+)/.exec(problem.detail)![1]);
  assert.ok(allowed > 100 && allowed < 1000);
  const coordinates = { sample: 100_000 };
  const checkOf = (examples: number) => post({ ...body, coordinates, examples });
  assertProblem(await checkOf(allowed + 1), 422, 'check-too-costly', '#/examples');
  assertProblem(await checkOf(allowed), 422, 'check-too-costly', '#/coordinates');
});

test('rejects missing images with their position in the list', async () => {
  assertProblem(await post({ examples: [1, 2, 6000] }), 422, 'impossible-request', '#/examples/2');
  assertProblem(await post({ dataset: 'mnist' }), 422, 'unknown-dataset', '#/dataset');
});

test('checks all training images of a data set with fewer than five', async () => {
  const images = npyBytes(shapedImages([8, 8], 2), [2, 8, 8]);
  const labels = npyBytes(Uint8Array.of(0, 1), [2]);
  const form = { train_images: images, train_labels: labels, test_images: images, test_labels: labels };
  const created = await upload(app, { classNames: 'up,down', ...form });
  assert.equal(created.statusCode, 201, created.body);
  const body = { dataset: created.json().id as string, network: { hidden: [3] } };
  const { loss } = await check(body);
  for (const examples of [2, [0, 1]]) assert.equal((await check({ ...body, examples })).loss, loss);
  const { detail, errors } = assertProblem(
    await post({ ...body, examples: 3 }),
    422,
    'impossible-request',
    '#/examples',
  );
  assert.match(detail, /has 2 training images, fewer than 3\.$/);
  assert.equal(errors![0]!.detail, 'Must be at most 2.');
});

test('advises to send the data set of an imported model that the default does not fit', async () => {
  const tensor = (name: string, ...shape: number[]) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.01);
    return { name, shape, data };
  };
  const file = npzBytes([tensor('W1', 2, 64), tensor('b1', 2)]);
  const imported = await importFile(app, file, { name: 'imported' });
  assert.equal(imported.statusCode, 201, imported.body);
  const wrong = async (body: object) =>
    assertProblem(await post({ model: 'imported', ...body }), 422, 'impossible-request', '#/dataset').detail;
  assert.match(
    await wrong({}),
    /are 28×28\. The training data set of the model is unknown: send `dataset`\.$/,
  );
  assert.match(await wrong({ dataset: 'fashion-mnist' }), /are 28×28\.$/);
});

/** A service for rows of so many pixels, or images of a shape, whose threads note their tasks and answer by `respond`. */
function withoutThreads(
  pixels: number | readonly [number, number],
  classes: number,
  respond: (task: GradientCheckTask) => Promise<object> = async () => ({ passed: true, blocks: [] }),
) {
  const rows = {
    ...WITHOUT_IMAGES,
    id: 'rows',
    imageShape: typeof pixels === 'number' ? ([1, pixels] as const) : pixels,
    classNames: Array.from({ length: classes }, (_, label) => `${label}`),
    train: { pixels: new Uint8Array(0), labels: new Uint8Array(1000) },
  };
  const tasks: GradientCheckTask[] = [];
  const calls: string[] = [];
  const checked: boolean[] = [];
  const pool = (name: string) =>
    ({
      run: (_name: string, task: GradientCheckTask, _signal: AbortSignal, transfer: unknown[]) => {
        tasks.push(task);
        calls.push(`${name} ${transfer.length}`);
        return respond(task);
      },
    }) as unknown as NumericPool;
  const service = createGradientCheckService(
    catalogOf(rows),
    {} as ModelService,
    { numeric: pool('numeric'), background: pool('background') },
    (passed) => checked.push(passed),
  );
  const requestOf = (body: object) =>
    gradientCheckRequestSchema.parse({ dataset: 'rows', network: { hidden: [] }, ...body });
  const { signal } = new AbortController();
  const start = (body: object, onFailed: (error: unknown) => void = assert.ifError) =>
    service.follow(requestOf(body), onFailed);
  return {
    tasks,
    calls,
    checked,
    check: (body: object, output: GradientCheckTask['output'] = 'report', file: Uint8Array | null = null) =>
      service.check(requestOf(body), output, signal, file),
    start,
    async follow(body: object, onFailed?: (error: unknown) => void) {
      const run = await start(body, onFailed);
      const events: GradientCheckEvent[] = [];
      for await (const [event] of run(signal)) events.push(event);
      return events;
    },
  };
}

const sampleOf = (sample: number, examples: number) => ({ examples, coordinates: { sample } });

test('a check may cost exactly the limit, and not one coordinate more', async () => {
  const { check, tasks, calls } = withoutThreads(2020, 10);
  // Of each of 1000 images, three forward passes and two softmaxes for each coordinate: 10 · (3 · 2010 + 2 · 10 · sample).
  const most = (MAX_COST / 1000 / 10 - 3 * 2020) / 20;
  await check(sampleOf(most, 1000));
  assert.deepEqual([calls, tasks[0]!.indices.length], [['numeric 0'], 1000]);
  await assert.rejects(check(sampleOf(most + 1, 1000)), {
    code: 'check-too-costly',
    message:
      'This check takes 1.0 times the limit per request. Check a sample, such as "coordinates": { "sample": 1000 }, or fewer ' +
      'examples; "Accept: text/event-stream" computes all of it and streams its progress.',
    details: [{ pointer: '#/coordinates', detail: 'must be a sample, or a smaller one' }],
  });
  assert.equal(tasks.length, 1);
});

test('the comparison with a submitted gradient counts towards the limit', async () => {
  const { check, calls } = withoutThreads(1000, 20);
  const file = () => new Uint8Array(1);
  // 4e9 less 3e7 for the gradient and 1.77e8 for the comparison; one sample costs 200,000.
  await check(sampleOf(18_966, 500), 'report', file());
  assert.deepEqual(calls, ['numeric 1'], 'the file is transferred');
  await assert.rejects(check(sampleOf(18_967, 500), 'report', file()), { code: 'check-too-costly' });
  await check(sampleOf(18_967, 500));
});

test('a streamed check above the limit of others runs in the background, up to a limit of its own', async () => {
  const { check, follow, calls } = withoutThreads(985_240, 10);
  // As above; one sample costs 200 multiply-adds for each image.
  const most = (MAX_STREAMED_COST / 1000 / 10 - 3 * 985_240) / 20;
  assert.deepEqual(await follow(sampleOf(most, 1000)), [
    { id: 1, type: 'result', data: { passed: true, blocks: [] } },
  ]);
  assert.deepEqual(calls, ['background 0']);
  await assert.rejects(follow(sampleOf(most + 1, 1000)), { code: 'check-too-costly' });
  const message = /takes 50\.0 times the limit .*"Accept: text\/event-stream" computes all of it/;
  await assert.rejects(check(sampleOf(most, 100)), { message });

  const equal = withoutThreads(2020, 10);
  const small = (MAX_COST / 1000 / 10 - 3 * 2020) / 20;
  for (const sample of [small, small + 1]) await equal.follow(sampleOf(sample, 1000));
  assert.deepEqual(equal.calls, ['numeric 0', 'background 0']);
});

test('a network of ten million parameters is checked, and a vector of a million is returned, but not one more', async () => {
  const one = sampleOf(1, 1);
  await withoutThreads(999_999, 10).check(one);
  await assert.rejects(withoutThreads(1_000_000, 10).check(one), {
    code: 'check-too-costly',
    message:
      'A 1000000-10 network has 10,000,010 parameters; a network to check must have at most 10,000,000 parameters.',
    details: [{ pointer: '#/network/hidden', detail: 'must have at most 10,000,000 parameters' }],
  });
  for (const output of ['analytic', 'numeric', 'parameters'] as const) {
    await withoutThreads(99_999, 10).check(one, output);
    await assert.rejects(withoutThreads(100_000, 10).check(one, output), {
      message:
        'The gradient has 1,000,010 numbers; Accept must be application/json for more than 1,000,000 numbers.',
      details: [{ parameter: 'Accept', detail: 'must be application/json for more than 1,000,000 numbers' }],
    });
  }
});

test('the error of a check that has begun ends its events', async () => {
  const failure = new AtelierError('overloaded', 'Too many checks are waiting.');
  const { follow } = withoutThreads(4, 2, () => Promise.reject(failure));
  const failed: unknown[] = [];
  assert.deepEqual(await follow(sampleOf(1, 1), (error) => failed.push(error)), [
    { id: 1, type: 'error', data: { code: 'overloaded', message: 'Too many checks are waiting.' } },
  ]);
  assert.deepEqual(failed, [failure]);
});

test('a check notes whether it passed', async () => {
  for (const passed of [true, false]) {
    const { check, checked } = withoutThreads(4, 2, async () => ({ passed, blocks: [] }));
    await check({ examples: 1 });
    assert.deepEqual(checked, [passed]);
  }
});

test('the default sample leaves time to compare a submitted gradient', async () => {
  const { check, tasks } = withoutThreads([28, 28], 10);
  const network = { convolutions: [[4, 4]], hidden: [] };
  // The most images of which a thousand coordinates can be checked.
  const most = 84;
  for (const [examples, file] of [
    [most, null],
    [most, new Uint8Array(1)],
    [most + 1, null],
  ] as const) {
    await check({ network, examples }, 'report', file);
  }
  assert.deepEqual(
    tasks.map(({ coordinates }) => coordinates),
    [{ sample: 1000 }, { sample: 250 }, { sample: 500 }],
  );
  await assert.rejects(
    check({ network, examples: most, coordinates: 'all' }, 'report', new Uint8Array(1)),
    /"sample": 250 }/,
  );
});

test('a streamed check tells its progress each second, and nothing after its client left', async (t) => {
  mockWaits(t);
  const { promise, resolve } = Promise.withResolvers<object>();
  const { tasks, start } = withoutThreads(4, 2, () => promise);
  const client = new AbortController();
  const events = (await start({ examples: 1 }))(client.signal);
  for (const id of [1, 2]) {
    let event: readonly [GradientCheckEvent] | undefined;
    const next = events.next().then(({ value }) => {
      event = value;
    });
    await flush();
    t.mock.timers.tick(999);
    await flush();
    assert.equal(event, undefined);
    Atomics.store(tasks[0]!.progress, 0, 3 * id);
    t.mock.timers.tick(1);
    await next;
    assert.deepEqual(event, [{ id, type: 'progress', data: { done: 3 * id, coordinates: 10 } }]);
  }
  const last = events.next();
  client.abort();
  resolve({ passed: true, blocks: [] });
  assert.deepEqual(await last, { value: undefined, done: true });
});
