import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnosis } from '../../../src/domain/predictions/diagnosis.ts';
import type { SentImages } from '../../../src/images/sent.ts';
import { createInterpretabilityService } from '../../../src/services/inspection/interpretability.ts';
import type { LoadedModel } from '../../../src/services/models/loaded-version.ts';
import type { PrepareImages } from '../../../src/services/predictions/prepare-images.ts';
import { dense } from '../../support/dense.ts';

const { signal } = new AbortController();
const model: LoadedModel = {
  reference: { name: 'digits', version: 3 },
  architecture: dense([784, 5, 2]),
  activation: 'relu',
  standardization: null,
  parameters: new Float32Array(784 * 5 + 5 + 5 * 2 + 2),
  classNames: ['a', 'b'],
  forward: () => assert.fail('the thread predicts'),
  multiplyAdds: 0,
  datasetId: null,
  preprocessing: { fit: 'contain', background: 'white', invert: 'never' },
};

type Options = Parameters<typeof createInterpretabilityService>;

/** A service of the model whose threads return this. */
function serviceOf(result: object, changes: Partial<LoadedModel> = {}) {
  const tasks: [string, Record<string, unknown>][] = [];
  const prepared: unknown[] = [];
  let diagnosed = 0;
  const models = {
    version: async (name: string) => ({ name, version: 3 }),
    load: () => ({ ...model, ...changes }),
  };
  const numeric = {
    async run(kind: string, task: Record<string, unknown>) {
      tasks.push([kind, task]);
      return result;
    },
  };
  const prepare: PrepareImages = async (images, ...rest) => {
    prepared.push(rest.slice(0, 2));
    const received = images.kind === 'parts' ? { ...images, kind: 'many' } : images;
    return received as Awaited<ReturnType<PrepareImages>>;
  };
  const service = createInterpretabilityService(
    models as unknown as Options[0],
    numeric as unknown as Options[1],
    (async () => 'the statistics') as unknown as Options[2],
    { loadIfAny: async () => 'the calibration' } as unknown as Options[3],
    prepare,
    () => diagnosed++,
  );
  return { service, tasks, prepared, diagnosed: () => diagnosed };
}

test('weights are drawn of a layer and a unit that exist', async () => {
  const png = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
  const { service, tasks } = serviceOf(png);
  const draw = (layer: number, unit?: number) =>
    service.drawWeights({ name: 'digits' }, { layer, ...(unit !== undefined && { unit }) }, signal);
  assert.deepEqual([...(await draw(2, 1))], [1, 2]);
  await draw(1, 4);
  assert.deepEqual(
    tasks.map(([kind, { layer, unit }]) => [kind, layer, unit]),
    [
      ['drawLayer', 2, 1],
      ['drawLayer', 1, 4],
    ],
  );
  const failure = (parameter: string, message: string, detail: string) => ({
    code: 'impossible-request',
    message: `digits@3 is a 784-5-2 network: ${message}.`,
    details: [{ parameter, detail }],
  });
  await assert.rejects(draw(3), failure('layer', 'layer must be 1 to 2', 'must be 1 to 2'));
  await assert.rejects(draw(1, 5), failure('unit', 'unit must be 0 to 4 in layer 1', 'must be 0 to 4'));
  const shallow = serviceOf(png, { architecture: dense([784, 2]) }).service;
  await assert.rejects(shallow.drawWeights({ name: 'digits' }, { layer: 2 }, signal), {
    details: [{ parameter: 'layer', detail: 'must be 1' }],
  });
});

const image: SentImages = { kind: 'bytes', bytes: new Uint8Array(784) };
const explanation = { label: 1, probability: 0.75 };

test('an image is explained as the model prepares it, and diagnosed only if this is asked for', async () => {
  const { service, tasks, prepared, diagnosed } = serviceOf({ ...explanation, diagnosis: null });
  const version = { name: 'digits' };
  const explained = await service.explain(version, image, { diagnose: false }, signal);
  assert.deepEqual(explained, {
    model: { name: 'digits', version: 3 },
    classNames: ['a', 'b'],
    ...explanation,
    diagnosis: null,
  });
  await service.explain(version, image, { diagnose: true, label: 0, fit: 'cover' }, signal);
  assert.deepEqual(
    tasks.map(([kind, { label, diagnosing, calibration }]) => [kind, label, diagnosing, calibration]),
    [
      ['explain', null, null, null],
      ['explain', 0, 'the statistics', 'the calibration'],
    ],
  );
  assert.deepEqual(prepared, [
    [model.preprocessing, [28, 28]],
    [{ ...model.preprocessing, fit: 'cover' }, [28, 28]],
  ]);
  assert.equal(diagnosed(), 0);
});

test('a diagnosis is counted', async () => {
  const diagnosis = { findings: [], typical: true } as unknown as Diagnosis;
  const { service, diagnosed } = serviceOf({ ...explanation, diagnosis });
  await service.explain({ name: 'digits' }, image, { diagnose: true }, signal);
  assert.equal(diagnosed(), 1);
});

test('each image of several is explained by itself, without a diagnosis', async () => {
  const { service, tasks, diagnosed } = serviceOf({ ...explanation, diagnosis: null });
  const shapes: unknown[] = [];
  const decode = (shape: unknown) => {
    shapes.push(shape);
    return [image, image];
  };
  const all = await service.explainEach({ name: 'digits' }, decode, undefined, signal);
  assert.deepEqual(shapes, [[28, 28]]);
  assert.deepEqual([all.length, tasks.length], [2, 2]);
  assert.deepEqual([diagnosed(), tasks[0]![1]['diagnosing']], [0, null]);
});
