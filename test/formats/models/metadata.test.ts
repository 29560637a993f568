import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkModelMetadata,
  isSameStandardization,
  modelMetadata,
  parametersDigest,
  readModelMetadata,
} from '../../../src/formats/models/metadata.ts';
import type { Architecture } from '../../../src/numerics/network/architecture.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { modelOf } from '../fixtures.ts';

const CONVOLUTIONAL: Architecture = {
  inputShape: [8, 9, 3],
  convolutions: [[4], [8]],
  norm: 'group',
  hidden: [],
  classes: 2,
};
const model = modelOf(dense([784, 2]));

const refusal = (run: () => unknown, message: RegExp) =>
  assert.throws(run, isAtelierError('invalid-model-file', message));

test('the metadata of a default model has neither shape nor convolutions nor preprocessing', () => {
  assert.deepEqual(modelMetadata(model), {
    format: 'atelier',
    name: 'my-model',
    version: '7',
    activation: 'tanh',
    layer_sizes: '[784,2]',
    class_names: '["class 0, “é”","class 1, “é”"]',
    standardization: '{"mean":0.25,"std":0.5}',
    digest: model.digest,
  });
});

test('other shapes, convolutions and a preprocessing have entries of their own', () => {
  const preprocessing = { fit: 'cover', background: 'white', invert: 'always' } as const;
  const convolutional = { ...modelOf(CONVOLUTIONAL, { standardization: null }), preprocessing };
  const metadata = modelMetadata(convolutional);
  assert.equal(metadata['input_shape'], '[8,9,3]');
  assert.equal(metadata['convolutions'], '[[4],[8]]');
  assert.equal(metadata['norm'], 'group');
  assert.equal(metadata['preprocessing'], '{"fit":"cover","background":"white","invert":"always"}');
  assert.equal(metadata['standardization'], 'null');
  // 8 · 9 · 3, 4 · 4 · 4, 2 · 2 · 8.
  assert.equal(metadata['layer_sizes'], '[216,64,32,2]');
  assert.deepEqual(readModelMetadata(metadata), {
    inputShape: [8, 9, 3],
    convolutions: [[4], [8]],
    norm: 'group',
    sizes: [216, 64, 32, 2],
    activation: 'tanh',
    classNames: convolutional.classNames,
    standardization: null,
    preprocessing,
    digest: convolutional.digest,
  });
});

test('omitted entries are the default shape, no convolutions and no preprocessing', () => {
  const read = readModelMetadata(modelMetadata(model))!;
  assert.deepEqual(
    [read.inputShape, read.convolutions, read.norm, read.preprocessing],
    [[28, 28], [], 'none', null],
  );
});

test('the metadata of other programs is ignored, and an invalid entry is named', () => {
  const metadata = modelMetadata(model);
  assert.equal(readModelMetadata({ ...metadata, format: 'pt' }), null);
  assert.equal(readModelMetadata({}), null);
  for (const [name, value] of [
    ['activation', 'elu'],
    ['layer_sizes', '[784,2.5]'],
    ['class_names', '["\\ud800"]'],
    ['standardization', '{"mean":0,"std":0}'],
    ['input_shape', '[8,65]'],
    ['convolutions', '[4]'],
    ['norm', 'batch'],
  ] as const)
    refusal(
      () => readModelMetadata({ ...metadata, [name]: value }),
      new RegExp(`its metadata has an invalid ${name}`),
    );
});

test('the metadata must declare the layers, stages and digest of the tensors', () => {
  const convolutional = modelOf(CONVOLUTIONAL);
  const declared = readModelMetadata(modelMetadata(convolutional))!;
  checkModelMetadata(declared, convolutional);
  refusal(
    () => checkModelMetadata({ ...declared, sizes: [216, 64, 32, 3] }, convolutional),
    /its metadata declares layers 216-64-32-3, but its tensors have 216-64-32-2/,
  );
  refusal(
    () => checkModelMetadata({ ...declared, norm: 'none' }, convolutional),
    /declares \{"convolutions":\[\[4\],\[8\]\],"norm":"none"\}, but its tensors have \{"convolutions":\[\[4\],\[8\]\],"norm":"group"\}/,
  );
  refusal(
    () => checkModelMetadata({ ...declared, digest: `sha256:${'x'.repeat(100)}` }, convolutional),
    new RegExp(
      `declares digest sha256:${'x'.repeat(73)}, but its parameters have ${convolutional.digest}; if`,
    ),
  );
});

test('long declarations are cut in a message', () => {
  const declared = readModelMetadata(modelMetadata(model))!;
  refusal(
    () => checkModelMetadata({ ...declared, sizes: new Array<number>(12).fill(1) }, model),
    /declares layers 1-1-1-1-1-1-1-1-1-1, but its tensors have 784-2/,
  );
  const convolutions = new Array<number[]>(100).fill([1]);
  assert.throws(
    () => checkModelMetadata({ ...declared, convolutions }, model),
    (error: Error) => {
      const [, shown] = /its metadata declares (.*), but its tensors/.exec(error.message)!;
      assert.equal(shown!.length, 200);
      return true;
    },
  );
});

test('standardizations are the same if all channels are in float32', () => {
  const grey = { mean: 0.1, std: 0.3 };
  assert.ok(isSameStandardization(null, null));
  assert.ok(!isSameStandardization(null, grey));
  assert.ok(!isSameStandardization(grey, null));
  // Without a standardization is not the same as one that changes nothing.
  assert.ok(!isSameStandardization(null, { mean: 0, std: 1 }));
  assert.ok(isSameStandardization(grey, { mean: Math.fround(0.1), std: Math.fround(0.3) }));
  assert.ok(!isSameStandardization(grey, { mean: 0.1000001, std: 0.3 }));
  assert.ok(!isSameStandardization(grey, { mean: 0.1, std: 0.3000001 }));
  assert.ok(isSameStandardization(grey, { mean: [0.1, 0.1, 0.1], std: 0.3 }));
  for (const c of [0, 1, 2])
    assert.ok(
      !isSameStandardization(grey, {
        mean: [0.1, 0.1, 0.1].with(c, 0.2) as [number, number, number],
        std: 0.3,
      }),
    );
});

test('the digest is the SHA-256 of the float32 numbers of the view', () => {
  // printf '\0\0\x80\x3f' | sha256sum
  const expected = 'sha256:e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c';
  assert.equal(parametersDigest(Float32Array.of(0, 1, 2).subarray(1, 2)), expected);
});
