/** Versions calibrated as they are published. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Catalog } from '../../../src/datasets/catalog.ts';
import type { Calibration } from '../../../src/domain/models/calibration.ts';
import type { VersionReference } from '../../../src/domain/models/reference.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import { AtelierError } from '../../../src/errors.ts';
import { calibrationBytes } from '../../../src/formats/arrays/calibration.ts';
import {
  createCalibrationCache,
  createCalibrationService,
  MAX_LOADED_BYTES,
} from '../../../src/services/inspection/calibrations.ts';
import type { ModelService } from '../../../src/services/models/catalog.ts';
import type { Store } from '../../../src/store/persistent-state.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import type { CalibrationTask } from '../../../src/workers/tasks/calibrate.ts';
import { importFile } from '../../http/import-file.ts';
import { uploadShaped } from '../../http/shaped-models.ts';
import { startService, temporaryDirectory, tiny, train } from '../../support/start-service.ts';

const file = { after };
const OFF = { DATASETS: 'none' };
const ON = { ...OFF, CALIBRATE_PUBLISHED: 'on' };
const PATH = '/v1/models/held/versions/1';

const training = { epochs: 4, batchSize: 8, validation: { fraction: 0.5 } };

/** Publishes a version of a data set of small images, of which enough to calibrate are held out, and enough are tested. */
async function publish(app: FastifyInstance, changes: Parameters<typeof tiny>[0] = {}): Promise<void> {
  const { id: dataset } = await uploadShaped(app, [8, 8], 'up,down', [200, 100]);
  const job = await train(app, tiny({ dataset, modelName: 'held', training, testSet: 'never', ...changes }));
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
}

async function untilCalibrated(app: FastifyInstance, path: string): Promise<Calibration> {
  for (;;) {
    const { calibration } = (await app.inject(path)).json<ModelVersion>();
    if (calibration !== null) return calibration;
    await wait(50);
  }
}

test('a published version is calibrated in the background, as it would be at its first use', async () => {
  const [{ app }, { app: other }] = [await startService(file, ON), await startService(file, OFF)];
  // Neither stops the calibrations after it: a version without validation images, and one that is deleted soon.
  await publish(app, { modelName: 'unheld', training: { ...training, validation: null } });
  await publish(app, { modelName: 'deleted' });
  assert.equal((await app.inject({ method: 'DELETE', url: '/v1/models/deleted' })).statusCode, 204);
  await publish(app);
  await publish(other);
  const calibration = await untilCalibrated(app, PATH);
  assert.equal(calibration.split, 'validation');
  assert.deepEqual((await other.inject(`${PATH}/calibration`)).json(), calibration);
  assert.equal((await app.inject('/v1/models/unheld/versions/1')).json<ModelVersion>().calibration, null);

  const exported = await app.inject(`${PATH}/export?format=safetensors`);
  const { dataset } = calibration;
  assert.equal((await importFile(app, exported.rawPayload, { name: 'imported', dataset })).statusCode, 201);
  assert.equal((await untilCalibrated(app, '/v1/models/imported/versions/1')).split, 'test');
});

test('a service that stops leaves the calibration to the first use', async () => {
  const STATE_DIR = await temporaryDirectory(file);
  const stopped = await startService(file, { STATE_DIR, ...ON });
  await publish(stopped.app);
  await stopped.close();
  const { app } = await startService(file, { STATE_DIR, ...OFF });
  assert.equal((await app.inject(`${PATH}/calibration`)).statusCode, 200);
});

const signal = new AbortController().signal;
const none = new Float32Array(0);
const bytes = calibrationBytes({
  temperature: 2,
  trueProbabilities: none,
  highest: none,
  second: none,
  outliers: { spaces: [], scores: [none], combined: none },
});

/** A service whose thread answers at once, for a version of two classes that was trained on the data set `rows`. */
function withoutThread(stored: Partial<ModelVersion>, onlyClass: string | null = null, maxBytes?: number) {
  const version = (name: string, number: number) => ({
    ...{ name, version: number, digest: 'network', classNames: ['a', 'b'], activation: 'relu' },
    ...{ inputShape: [1, 4], convolutions: [], norm: 'none', layerSizes: [4, 2], testAccuracy: null },
    lineage: { dataset: { id: 'rows', digest: 'rows' }, request: {}, jobId: null },
    calibration: null,
    ...stored,
  });
  const read: string[] = [];
  const tasks: CalibrationTask[] = [];
  const calibrated: unknown[] = [];
  let invalidations = 0;
  /** Data sets and versions that are deleted once they were found. */
  const deleted = new Set<string>();
  const splits = { train: {}, test: {} };
  const summary = (id: string) => ({ id, digest: id, imageShape: [1, 4], classNames: ['a', 'b'], splits });
  const service = createCalibrationService(
    {
      models: {
        calibrate: async (...[network, calibration, , look]: Parameters<Store['models']['calibrate']>) => {
          const { datasetDigest, kind, caller } = look ?? {};
          if (deleted.has(network.name)) return undefined;
          calibrated.push([calibration, look && `${kind} ${datasetDigest} ${caller}`]);
          return { ...network, calibration };
        },
      },
      blobs: {
        get: async (digest: string) => {
          read.push(digest);
          return bytes;
        },
      },
      jobs: {},
    } as unknown as Parameters<typeof createCalibrationService>[0],
    {
      find: async (id: string) => summary(id),
      get: async (id: string) =>
        deleted.has(id) ? undefined : { ...summary(id), train: `train of ${id}`, test: `test of ${id}` },
      list: () => [],
      use: () => new DisposableStack(),
    } as unknown as Catalog,
    {
      version: async (name: string, number: number) => version(name, number),
      load: async (name: string) => ({ reference: { name } }),
      invalidateEverywhere: async () => {
        invalidations += 1;
      },
    } as unknown as ModelService,
    {
      run: async (_name: string, task: CalibrationTask) => {
        tasks.push(task);
        return { file: bytes, figures: { images: 7 }, onlyClass };
      },
    } as unknown as NumericPool,
    { warn: assert.fail },
    createCalibrationCache(maxBytes),
  );
  return { service, read, tasks, calibrated, deleted, invalidations: () => invalidations };
}

const IMPORTED = {
  dataset: { id: 'rows', digest: 'rows' },
  request: null,
  jobId: null,
} as ModelVersion['lineage'];

const held = {
  dataset: 'rows',
  split: 'validation',
  images: 100,
  reused: false,
  digest: 'sha256:1',
} as const;

test('the arrays of a calibration are read once, for each use that they were computed for', async () => {
  const stored: Partial<ModelVersion> = {};
  const { service, read } = withoutThread(stored);
  const changes = [
    {},
    { digest: 'sha256:2' },
    { dataset: 'others' },
    { split: 'test' },
    { images: 99 },
    { reused: true },
  ];
  const loaded = [];
  for (const change of changes) {
    const calibration = { ...held, ...change } as Calibration;
    Object.assign(stored, { calibration });
    const first = await service.load({ name: 'mine', version: 1 }, signal);
    assert.equal(await service.load({ name: 'copy', version: 2 }, signal), first);
    const { digest, ...used } = calibration;
    assert.deepEqual([first.used, first.digest, first.temperature], [used, digest, 2]);
    loaded.push(first);
  }
  assert.equal(new Set(loaded).size, changes.length);
  assert.equal(read.length, changes.length);
  assert.deepEqual(read.slice(0, 3), ['sha256:1', 'sha256:2', 'sha256:1']);
});

test('calibrations are kept up to a limit of bytes, and the least recently used one is read again', async () => {
  const stored: Partial<ModelVersion> = {};
  const { service, read } = withoutThread(stored, null, 20 * bytes.length);
  const load = (n: number) => {
    Object.assign(stored, { calibration: { ...held, digest: `sha256:${n}` } });
    return service.load({ name: 'mine', version: 1 }, signal);
  };
  for (let round = 0; round < 2; round++) for (let n = 0; n < 20; n++) await load(n);
  assert.equal(read.length, 20);
  for (const n of [20, 1, 0]) await load(n);
  assert.deepEqual(read.slice(20), ['sha256:20', 'sha256:0']);
  assert.equal(MAX_LOADED_BYTES, 268_435_456);
});

test('requests that wait for a calibration share one read', async () => {
  const { service, read } = withoutThread({ calibration: held as unknown as Calibration });
  const loads = Array.from({ length: 3 }, () => service.load({ name: 'mine', version: 1 }, signal));
  assert.equal(new Set(await Promise.all(loads)).size, 1);
  assert.equal(read.length, 1);
});

test('a checkpoint has no calibration, and neither has a version that cannot be calibrated', async () => {
  const { service } = withoutThread({ lineage: { dataset: null } as ModelVersion['lineage'] });
  const checkpoint = { name: `job_${'0'.repeat(26)}`, version: 1 };
  await assert.rejects(service.load(checkpoint, signal), { code: 'not-calibrated', message: /^Checkpoints/ });
  assert.equal(await service.loadIfAny({ name: 'mine', version: 1 }, signal), null);
  await assert.rejects(service.get('mine', 1, signal), {
    code: 'not-calibrated',
    message:
      'Version 1 of model mine has no calibration, because it was imported without measuring test images. ' +
      'Calibrate it with POST /v1/models/mine/versions/1/calibration and the `dataset` of the images.',
  });
});

test('a calibration on test images is a look, and one on training images is reused if they may have been trained on', async () => {
  const { service, tasks, calibrated, invalidations } = withoutThread({});
  const mine = { name: 'mine', version: 1 } as const;
  const cases = [
    [{ split: 'test' }, 'test of rows', false, 'calibration rows ada'],
    [{ split: 'train' }, 'train', true, undefined],
    [{ split: 'train', dataset: 'others' }, 'train of others', false, undefined],
    [{ split: 'test', dataset: 'others' }, 'test of others', false, 'calibration others ada'],
  ] as const;
  for (const [n, [request, source, reused, look]] of cases.entries()) {
    await service.calibrate(mine, request, signal, 'ada');
    assert.deepEqual([tasks[n]!.source, tasks[n]!.train], [source, 'train of rows']);
    const dataset = 'dataset' in request ? request.dataset : 'rows';
    const { split } = request;
    assert.deepEqual(calibrated[n], [{ dataset, split, reused, images: 7, warning: null }, look]);
    assert.equal(invalidations(), n + 1);
  }
  const { service: single } = withoutThread({}, 'b');
  assert.equal(
    (await single.calibrate(mine, { split: 'test' }, signal, 'ada')).warning,
    'All calibration images are of class b, so the coverage holds for images of this class only.',
  );
});

test('a data set or a version that is deleted during a calibration is named', async () => {
  const { service, tasks, deleted } = withoutThread({ testAccuracy: 1, lineage: IMPORTED });
  const calibrate = (dataset?: string) =>
    service.calibrate({ name: 'mine', version: 1 }, { split: 'test', dataset }, signal, 'ada');
  deleted.add('mine');
  await assert.rejects(calibrate(), {
    code: 'model-not-found',
    message: 'Version 1 of model mine has just been deleted.',
  });
  deleted.clear();
  deleted.add('rows');
  const detail = 'must be one of: none';
  await assert.rejects(calibrate(), {
    code: 'unknown-dataset',
    message: `Data set rows has just been deleted; dataset ${detail}.`,
    details: [{ pointer: '#/dataset', detail }],
  });
  await assert.rejects(service.get('mine', 1, signal), {
    code: 'not-calibrated',
    message: /^Version 1 of model mine has no calibration, because its data set was deleted\./,
  });
  await calibrate('others');
  assert.equal(tasks.at(-1)!.train, 'train of others', 'the training images are gone');
});

test('a network whose 15,000 images cost more than the limit cannot be calibrated', async () => {
  // Four inputs and two classes are six multiply-adds for each hidden unit.
  const most = Math.floor(2.5e11 / 15_000 / 6);
  const mine = { name: 'mine', version: 1 } as const;
  const serviceOf = (hidden: number) => withoutThread({ layerSizes: [4, hidden, 2] }).service;
  await serviceOf(most).calibrate(mine, { split: 'test' }, signal, 'ada');
  const service = serviceOf(most + 1);
  await assert.rejects(service.calibrate(mine, { split: 'test' }, signal, 'ada'), {
    code: 'evaluation-too-costly',
    message: 'Calibrating 4-2777778-2 takes longer than a request may. Use a smaller network.',
  });
  await assert.rejects(service.get('mine', 1, signal), {
    code: 'not-calibrated',
    message:
      'Version 1 of model mine has no calibration, because its network is too large for one. Use a smaller network.',
  });
});

test('a published version whose calibration fails is logged, unless it has none or the service stops', async () => {
  const logged: unknown[][] = [];
  const model = { name: 'mine', version: 1 };
  async function calibrate(error: Error, isClosed = false): Promise<void> {
    const models = { version: () => Promise.reject(error) } as unknown as ModelService;
    const service = createCalibrationService({} as Store, {} as Catalog, models, {} as NumericPool, {
      warn: (...line: unknown[]) => void logged.push(line),
    });
    // Callers pass the whole version.
    service.calibratePublished({ ...model, description: 'long' } as VersionReference);
    if (isClosed) service.close();
    await new Promise(setImmediate);
  }
  for (const code of ['not-calibrated', 'model-not-found'] as const) {
    await calibrate(new AtelierError(code, 'There is none.'));
  }
  const err = new AtelierError('storage-unavailable', 'The database is away.');
  await calibrate(err, true);
  assert.deepEqual(logged, []);
  await calibrate(err);
  const defect = new TypeError('a defect');
  await calibrate(defect);
  const message = 'failed to calibrate a published version, its first use repeats it';
  assert.deepEqual(logged, [
    [{ model, reason: 'The database is away.' }, message],
    [{ model, err: defect }, message],
  ]);
});
