import assert from 'node:assert/strict';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PredictionJob } from '../../../src/domain/predictions/job.ts';
import { createPredictionJobService, MAX_RESULT_BYTES } from '../../../src/services/predictions/jobs.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { publish, temporaryDirectory, temporaryStore } from '../../store/fixtures.ts';

test('a result whose job is deleted while its files are copied does not exist', async (t) => {
  const store = await temporaryStore(t);
  const { predictionJobs, temporaryFiles } = store;
  await publish(store, 'shoes');
  const newFile = async () => {
    const path = temporaryFiles.newFile();
    await writeFile(path, 'content');
    return path;
  };
  const model = { name: 'shoes', version: 1 };
  const { id } = await predictionJobs.create(
    { model, classNames: ['cat', 'dog'], source: { pixels: '0-1' }, images: 1, coverage: null },
    { input: await newFile(), queueLimit: 1 },
  );
  const run = await predictionJobs.start(id);
  const files = { probabilities: await newFile(), labels: null, judgements: null };
  await run!.succeed(files, { classes: [1, 0], correct: null, unsure: null });
  const unused = {} as never;
  const service = createPredictionJobService({
    store: {
      temporaryFiles,
      predictionJobs: {
        ...predictionJobs,
        async copyFile(digest, path) {
          await predictionJobs.remove(id);
          return predictionJobs.copyFile(digest, path);
        },
      },
    },
    catalog: unused,
    models: unused,
    calibrations: unused,
    queue: unused,
    memory: unused,
    checks: unused,
    numeric: unused,
    waits: createWaits('memory'),
    queueLimit: 1,
    maxBytes: 1,
  });
  await assert.rejects(
    service.result(id, 'npy', false, new AbortController().signal),
    isAtelierError('prediction-job-not-found', /does not exist/),
  );
});

type Options = Parameters<typeof createPredictionJobService>[0];

/** A service of jobs that are all alike, whose other parts note their calls. */
async function withoutStore(t: TestContext, { size = 0, isUnpacked = false, status = 'succeeded' } = {}) {
  const directory = await temporaryDirectory(t);
  const calls: unknown[][] = [];
  const note =
    (name: string, result: unknown = undefined) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args.filter((arg) => arg !== undefined)]);
      return result;
    };
  let files = 0;
  const job = { id: 'pjb_1', status, waiting: null } as unknown as PredictionJob;
  const version = {
    ...{ name: 'mine', version: 1, inputShape: [1, 4], convolutions: [], norm: 'none', layerSizes: [4, 2] },
    classNames: ['a', 'b'],
  };
  const changed =
    (name: string) =>
    async (id: string, ...rest: unknown[]) => {
      const precondition = rest.at(-1) as ((job: PredictionJob) => void) | undefined;
      precondition?.(job);
      calls.push([name, id, ...rest.slice(0, -1)]);
      return job;
    };
  const waits = createWaits('memory');
  const service = createPredictionJobService({
    store: {
      predictionJobs: {
        get: async (id: string) => ({ ...job, id }),
        digest: async (_id: string, part: string) => (part === 'probabilities' ? 'sha256:1' : undefined),
        async copyFile(_digest: string, path: string) {
          await using file = await open(path, 'wx');
          await file.truncate(size);
        },
        list: async () => ({ data: [job], nextCursor: null }),
        create: note('create', job),
        cancel: changed('cancel'),
        pause: changed('pause'),
        resume: changed('resume'),
        remove: changed('remove'),
      },
      temporaryFiles: { newFile: () => join(directory, `${files++}`) },
    } as unknown as Options['store'],
    catalog: {
      find: async (id: string) => ({
        ...{ id, digest: 'rows', imageShape: [1, 4], classNames: ['a', 'b'] },
        splits: { train: { examples: 20 }, test: { examples: 10 } },
      }),
    } as unknown as Options['catalog'],
    models: { version: async () => version } as unknown as Options['models'],
    calibrations: { load: note('calibration') } as unknown as Options['calibrations'],
    queue: {
      notify: () => calls.push(['notify']),
      stop: (id: string) => calls.push(['stop', id]),
    } as unknown as Options['queue'],
    memory: {
      assertJobFits: () => calls.push(['fits']),
      reserve: (bytes: number, { what }: { what: string }) => calls.push(['reserve', bytes / 2 ** 20, what]),
    } as unknown as Options['memory'],
    checks: {
      async run(
        name: string,
        { target }: { target: string },
        _signal: unknown,
        _transfer: unknown,
        admit: () => void,
      ) {
        calls.push([name]);
        await writeFile(target, 'unpacked');
        admit();
        return { images: 3, pixels: '0-255', isUnpacked };
      },
    } as unknown as Options['checks'],
    numeric: {} as Options['numeric'],
    waits,
    queueLimit: 5,
    maxBytes: 1,
  });
  return { service, calls, waits, directory, names: () => calls.map(([name]) => name) };
}

const forever = new AbortController().signal;

test('no result is written while clients are reading a gibibyte, but below that another is', async (t) => {
  assert.equal(MAX_RESULT_BYTES, 1024 ** 3);
  for (const [size, isAllowed] of [
    [MAX_RESULT_BYTES - 1, true],
    [MAX_RESULT_BYTES, false],
  ] as const) {
    const { service } = await withoutStore(t, { size });
    const first = await service.result('pjb_1', 'npy', false, forever);
    const reader = first.read();
    assert.equal(first.size, size);
    const second = service.result('pjb_2', 'npy', false, forever);
    if (isAllowed) (await second).read().destroy();
    else await assert.rejects(second, isAtelierError('overloaded', /files of more than 1024 MiB together/));
    reader.destroy();
  }
});

test('the check of a file reserves 80 MiB, and the job reads what was unpacked, else the file', async (t) => {
  for (const isUnpacked of [false, true]) {
    const { service, calls, directory } = await withoutStore(t, { isUnpacked });
    const file = { path: '/sent', bytes: 12_345 } as Parameters<typeof service.startWithFile>[1];
    await service.startWithFile({ model: 'mine' }, file, forever);
    assert.deepEqual(
      calls.map(([name]) => name),
      ['fits', 'checkImageFile', 'reserve', 'create', 'notify'],
    );
    assert.deepEqual(calls[2], ['reserve', 80, 'Checking an array of 12,345 bytes']);
    const [, job, options] = calls[3] as [string, object, { input: string; queueLimit: number }];
    const model = { name: 'mine', version: 1 };
    const source = { pixels: '0-255' };
    assert.deepEqual(job, { model, classNames: ['a', 'b'], source, images: 3, coverage: null });
    assert.equal(options.input === '/sent', !isUnpacked);
    assert.equal(options.queueLimit, 5);
    assert.deepEqual(await readdir(directory), [], 'what was unpacked is removed');
  }
});

test('a job for a test split is a look, and a coverage needs a calibration', async (t) => {
  const { service, calls, names } = await withoutStore(t);
  const model = { name: 'mine', version: 1 };
  const request = { model, dataset: 'rows', split: 'test' } as const;
  await service.start(request, 'ada', forever);
  await service.start({ ...request, split: 'train', coverage: 0.9 }, 'ada', forever);
  assert.deepEqual(names(), ['fits', 'create', 'notify', 'fits', 'calibration', 'create', 'notify']);
  const created = [calls[1]!, calls[5]!].map(([, job, options]) => {
    const { images, coverage, source } = job as { images: number; coverage: number; source: object };
    const { look } = options as { look?: { kind: string; datasetDigest: string; caller: string } };
    return [images, coverage, source, look && `${look.kind} ${look.datasetDigest} ${look.caller}`];
  });
  assert.deepEqual(created, [
    [10, null, { dataset: 'rows', split: 'test' }, 'predictions rows ada'],
    [20, 0.9, { dataset: 'rows', split: 'train' }, undefined],
  ]);
  const file = { path: '/sent', bytes: 1 } as Parameters<typeof service.startWithFile>[1];
  calls.length = 0;
  await service.startWithFile({ model, coverage: 0.9 }, file, forever);
  assert.equal(names()[1], 'calibration');
});

test('a change of a job stops its work or wakes the queue, on the condition of the job as clients see it', async (t) => {
  const { service, calls, waits } = await withoutStore(t);
  const seen: unknown[] = [];
  const precondition = ({ waiting }: PredictionJob) => void seen.push(waiting);
  await service.cancel('pjb_1', precondition);
  await service.pause('pjb_1', precondition);
  using _waiting = waits.add('pjb_1');
  await service.resume('pjb_1', precondition);
  await service.remove('pjb_1', precondition);
  assert.deepEqual(calls, [
    ['cancel', 'pjb_1'],
    ['stop', 'pjb_1'],
    ['pause', 'pjb_1'],
    ['stop', 'pjb_1'],
    ['resume', 'pjb_1', 5],
    ['notify'],
    ['remove', 'pjb_1'],
  ]);
  assert.deepEqual(seen, [null, null, 'memory', 'memory']);
  assert.equal((await service.get('pjb_1')).waiting, 'memory');
  const { data } = await service.list({} as Parameters<typeof service.list>[0]);
  assert.deepEqual(
    data.map(({ waiting }) => waiting),
    ['memory'],
  );
});

test('the tag of a result names its form, and a job without a result says what to do', async (t) => {
  const { service } = await withoutStore(t);
  assert.equal(await service.resultTag('pjb_1', 'csv', false), '"pjb_1-csv"');
  assert.equal(await service.resultTag('pjb_1', 'csv', true), '"pjb_1-csv-all"');
  assert.equal(await service.resultTag('pjb_1', 'npy', false), '"pjb_1-npy"');
  for (const [status, advice] of [
    ['queued', 'Wait for its end'],
    ['running', 'Wait for its end'],
    ['paused', 'Resume it'],
    ['failed', 'Start a new job'],
    ['cancelled', 'Start a new job'],
  ] as const) {
    const { service: without } = await withoutStore(t, { status });
    await assert.rejects(without.resultTag('pjb_1', 'csv', false), {
      code: 'illegal-transition',
      message: `Prediction job pjb_1 is ${status}, so it has no result. ${advice}.`,
    });
  }
});
