import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { npzBytes } from '../../../src/formats/arrays/npz.ts';
import { safetensorsBytes } from '../../../src/formats/arrays/safetensors.ts';
import { layerTensors } from '../../../src/formats/arrays/tensor.ts';
import { exportModel } from '../../../src/formats/models/export.ts';
import { type ImportHints, importModel } from '../../../src/formats/models/import.ts';
import { modelMetadata, parametersDigest } from '../../../src/formats/models/metadata.ts';
import { architectureText } from '../../../src/numerics/network/architecture.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import {
  fixtureImages,
  formatFixture,
  formatFixtures,
  modelOf,
  npyEntry,
  numbers,
  sourceOf,
  tensor,
} from '../fixtures.ts';

for (const fixture of formatFixtures) {
  const { file, activation, hidden, standardization, probabilities } = fixture;
  test(`${file} gives the predictions of the program that wrote it`, () => {
    const model = importModel(formatFixture(file), { activation, standardization });
    assert.equal(model.source, sourceOf(fixture));
    assert.deepEqual(model.architecture, dense([784, ...hidden, probabilities[0]!.length]));
    const found = new Float64Array(probabilities.flat().length);
    createForward({ ...model, activation }, model.parameters)(found.slice(), found, fixtureImages);
    probabilities.flat().forEach((expected, i) => {
      assert.ok(Math.abs(found[i]! - expected) <= 1e-6, `${found[i]} at ${i}, not ${expected}`);
    });
  });
}

test('rounds and counts values beyond float32, and reads half precision exactly', () => {
  const rounded = (file: string) => importModel(formatFixture(file)).rounded;
  const count = 784 * 3 + 3 + 3 * 10 + 10;
  assert.ok(rounded('sklearn-identity.npz') > 0.99 * count && rounded('sklearn-identity.npz') <= count);
  assert.equal(rounded('torch-f16.safetensors'), 0);
  assert.equal(rounded('torch-bf16.safetensors'), 0);
});

for (const architecture of [dense([784, 3]), dense([784, 5, 10]), dense([784, 6, 5, 4, 2])]) {
  test(`a ${architectureText(architecture)} model is restored bit for bit from npy, npz and safetensors`, () => {
    const model = modelOf(architecture);
    const [hidden, classNames] = [architecture.hidden, model.classNames];
    const known = { activation: 'tanh', classNames, standardization: { mean: 0.25, std: 0.5 } } as const;
    for (const [format, hints] of [
      ['npy', { ...known, hidden }],
      ['npz', known],
      ['safetensors', {}],
      ['safetensors', { ...known, hidden }],
    ] as const) {
      const { parameters, ...found } = importModel(exportModel(model, format), hints);
      const source = format === 'npy' ? 'packed-npy' : format;
      const others = { rounded: 0, assumed: [], preprocessing: null };
      assert.deepEqual(found, { source, architecture, ...others, ...known });
      assert.equal(parametersDigest(parameters), model.digest);
    }
  });
}

test('properties that neither the file nor the request gives are null', () => {
  const file = exportModel(modelOf(dense([784, 4, 3])), 'npz');
  const { activation, classNames, standardization, assumed } = importModel(file);
  assert.deepEqual(assumed, ['activation', 'classNames', 'standardization']);
  assert.deepEqual(importModel(file, { activation: 'tanh', standardization: null }).assumed, ['classNames']);
  assert.deepEqual(
    { activation, classNames, standardization },
    {
      activation: null,
      classNames: null,
      standardization: null,
    },
  );
});

test('rejects a request that contradicts the file', () => {
  const file = exportModel(modelOf(dense([784, 4, 3])), 'safetensors');
  const refusal = (hints: ImportHints, message: RegExp) =>
    assert.throws(() => importModel(file, hints), isAtelierError('invalid-model-file', message));
  refusal({ activation: 'relu' }, /its activation is "tanh", but the request has "relu"/);
  refusal({ hidden: [4, 4] }, /its hidden is \[4\], but the request has \[4,4\]/);
  refusal({ classNames: ['a', 'b', 'c'] }, /its classNames is .*, but the request has \["a","b","c"\]/);
  refusal(
    { standardization: null },
    /its standardization is \{"mean":0.25,"std":0.5\}, but the request has null/,
  );
  assert.throws(
    () => importModel(exportModel(modelOf(dense([784, 4, 3])), 'npz'), { classNames: ['a', 'b'] }),
    isAtelierError('invalid-model-file', /2 class names, but the network has 3 classes/),
  );
});

test('rejects metadata of other parameters, and ignores metadata of other programs', () => {
  const [model, other] = [modelOf(dense([784, 4, 3])), modelOf(dense([784, 5, 3]))];
  const tensors = layerTensors(model.architecture, numbers(model.parameters.length, 1));
  const refusal = (metadata: Record<string, string>, message: RegExp) =>
    assert.throws(
      () => importModel(safetensorsBytes(tensors, metadata)),
      isAtelierError('invalid-model-file', message),
    );
  const metadata = modelMetadata(model);
  refusal(metadata, /its metadata declares digest sha256:.*remove the metadata/);
  refusal(modelMetadata(other), /its metadata declares layers 784-5-3, but its tensors have 784-4-3/);
  refusal({ ...metadata, activation: 'swish' }, /its metadata has an invalid activation/);
  refusal({ ...metadata, standardization: '{"mean":0,"std":0}' }, /an invalid standardization\.std/);
  refusal({ ...metadata, class_names: '[' }, /an invalid class_names/);
  refusal({ ...metadata, class_names: String.raw`["a", "\ud800"]` }, /an invalid class_names/);
  const { activation } = importModel(safetensorsBytes(tensors, { ...metadata, format: 'pt' }));
  assert.equal(activation, null);
});

test('splits a packed vector by the hidden layers and infers the number of classes', () => {
  const vector = (count: number) => npyBytes(numbers(count), [count]);
  assert.deepEqual(importModel(vector(31_810), { hidden: [40] }).architecture, dense([784, 40, 10]));
  assert.deepEqual(importModel(vector(785 * 3), { hidden: [] }).architecture, dense([784, 3]));
  const refusal = (bytes: Uint8Array, hidden: number[] | undefined, message: RegExp) =>
    assert.throws(() => importModel(bytes, { hidden }), isAtelierError('invalid-model-file', message));
  refusal(
    vector(31_810),
    undefined,
    /31810 numbers does not contain its layer sizes; send the field hidden, and .* the fields convolutions and norm\.$/,
  );
  refusal(vector(31_810), [41], /31810 numbers do not fit a 784-41 network .* 784-41-10 has 32605/);
  refusal(vector(785), [], /\(785,\) means 1 classes; 2 to 1000 are allowed/);
  refusal(vector(785 * 1001), [], /means 1001 classes/);
  refusal(npyBytes(numbers(785 * 4), [4, 785]), [], /one dimension, but it has shape \(4, 785\)/);
  refusal(
    vector(10),
    [9999],
    /10 numbers do not fit a 784-9999 network .*send the field inputShape\. .*send the field convolutions\.$/,
  );
  // 3·3·4 + 4, 4·4·4·5 + 5 and 5·10 + 10 numbers, and without the convolution 8·8·5 + 5 and 5·10 + 10.
  const given = { hidden: [5], inputShape: [8, 8], convolutions: [[4]] } as const;
  assert.throws(
    () => importModel(vector(10), given),
    isAtelierError(
      'invalid-model-file',
      /10 numbers do not fit a \S+ network with any number of classes; \S+ has 425\.$/,
    ),
  );
  assert.throws(
    () => importModel(vector(10), { ...given, convolutions: undefined }),
    isAtelierError(
      'invalid-model-file',
      / has 385\. If the network has convolutions, send the field convolutions\.$/,
    ),
  );
});

for (const [defect, tensors, message] of [
  [
    'a layer is missing',
    [tensor('W1', 5, 784), tensor('b1', 5), tensor('W3', 3, 5), tensor('b3', 3)],
    /"W2" is missing/,
  ],
  ['biases are missing', [tensor('coefs_0', 784, 3)], /"intercepts_0" is missing/],
  ['weights are missing', [tensor('b1', 3)], /"W1" is missing/],
  [
    'there is something else',
    [tensor('W1', 3, 784), tensor('b1', 3), tensor('scale', 3)],
    /"scale" is not a name like "W1" and "b1"/,
  ],
  [
    'only convolutions are named',
    [tensor('K1', 4, 1, 3, 3), tensor('c1', 4)],
    /no fully connected layer after its convolutions: "W1" is missing/,
  ],
  ['no name is known', [tensor('kernel', 3, 784)], /must be named W1.*coefs_0.*0\.weight.*it has "kernel"/],
  ['there is nothing', [], /it has none/],
  [
    'the images are neither squares nor given a shape',
    [tensor('W1', 3, 72), tensor('b1', 3)],
    /"W1" has shape \(3, 72\), but 72 values are not a square of 8 to 64 .*; send the field inputShape/,
  ],
  [
    'no image has so many values',
    [tensor('W1', 3, 49), tensor('b1', 3)],
    /"W1" has shape \(3, 49\), but no image of 8 to 64 pixels a side, grey or in colour, has 49 values\.$/,
  ],
  [
    'weights are transposed',
    [tensor('W1', 784, 3), tensor('b1', 3)],
    /"W1" has shape \(784, 3\).*transpose it/,
  ],
  [
    'weights have three dimensions',
    [tensor('W1', 3, 784, 1), tensor('b1', 3)],
    /"W1" has shape \(3, 784, 1\)/,
  ],
  [
    'biases are of another layer',
    [tensor('W1', 3, 784), tensor('b1', 4)],
    /"b1" has shape \(4,\), but must have \(3,\), since "W1" has \(3, 784\)/,
  ],
  [
    'biases are a column',
    [tensor('W1', 3, 784), tensor('b1', 3, 1)],
    /"b1" has shape \(3, 1\), but must have \(3,\)/,
  ],
  [
    'layers do not join',
    [tensor('W1', 5, 784), tensor('b1', 5), tensor('W2', 3, 6), tensor('b2', 3)],
    /"W2" has shape \(3, 6\), but must have \(units, 5\)/,
  ],
  ['there is one class', [tensor('W1', 1, 784), tensor('b1', 1)], /"W1" of shape \(1, 784\) means 1 classes/],
  ['there are 1001 classes', [tensor('W1', 1001, 784), tensor('b1', 1001)], /means 1001 classes; 2 to 1000/],
  [
    'a layer is too wide',
    [tensor('W1', 4097, 784), tensor('b1', 4097), tensor('W2', 3, 4097), tensor('b2', 3)],
    /hidden layer 1 has 4097 units; 1 to 4096/,
  ],
  [
    'a layer is empty',
    [tensor('W1', 0, 784), tensor('b1', 0), tensor('W2', 3, 0), tensor('b2', 3)],
    /hidden layer 1 has 0 units/,
  ],
  [
    'it is too deep',
    Array.from({ length: 10 }, (_, l) => [tensor(`W${l + 1}`, 784, 784), tensor(`b${l + 1}`, 784)]).flat(),
    /9 hidden layers; the limit is 8/,
  ],
  [
    'coefs_ are not transposed',
    [tensor('coefs_0', 3, 784), tensor('intercepts_0', 3)],
    /"coefs_0" has shape \(3, 784\), but must have \(values, units\); transpose it/,
  ],
  [
    'two names mean the same',
    [tensor('coefs_0', 784, 3), tensor('coefs_.0', 784, 3)],
    /both "coefs_0" and "coefs_\.0"/,
  ],
  ['conventions are mixed', [tensor('W1', 3, 784), tensor('0.bias', 3)], /"0\.bias" is not a name like "W1"/],
  ['a PyTorch layer has no weights', [tensor('fc.bias', 3)], /"fc\.weight" is missing/],
] as const) {
  test(`reports if ${defect}`, () => {
    for (const file of [npzBytes(tensors), safetensorsBytes(tensors, {})]) {
      assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
    }
  });
}

for (const [value, shown] of [
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  [1e39, '1e\\+39'],
] as const) {
  test(`rejects ${value} with its position`, () => {
    const weights = new Float64Array(784 * 2);
    weights[785] = value;
    const file = zipSync({
      ...npyEntry('W1', weights, [2, 784]),
      ...npyEntry('b1', new Float64Array(2), [2]),
    });
    const message = new RegExp(`"W1" has ${shown} at position 785`);
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
  });
}

test('rejects integers, other files in the archive, and other file types by name', () => {
  const refusal = (file: Uint8Array, message: RegExp) =>
    assert.throws(() => importModel(file), isAtelierError('invalid-model-file', message));
  refusal(
    zipSync(npyEntry('W1', new Uint8Array(784 * 2), [2, 784])),
    /"W1": dtype \|u1 is not supported; use f2, f4 or f8\.$/,
  );
  const npy = (name: string) => readFileSync(new URL(`../../fixtures/npy/${name}.npy`, import.meta.url));
  refusal(
    zipSync({ 'coefs_.npy': npy('object') }),
    /"coefs_": dtype .*O \(object\) is not supported; use f2, f4 or f8, and one array for each layer: coefs_0, intercepts_0, coefs_1, …\.$/,
  );
  refusal(zipSync({ 'W1.npy': npy('bool') }), /\(bool\) is not supported; use f2, f4 or f8\.$/);
  refusal(zipSync({ 'README.md': new Uint8Array(3) }), /"README\.md" of the archive is not an \.npy array/);
  refusal(zipSync({ 'W1.npy': new Uint8Array(3) }), /"W1": .*signature of an \.npy file/);
  refusal(
    npyBytes(numbers(8), [8]).subarray(0, -1),
    /^The model file cannot be read: the array: (?!.*cannot be read)/,
  );
  refusal(new Uint8Array(0), /not an \.npy, \.npz, safetensors or ONNX file/);
});

for (const [file, bytes, message] of [
  [
    'torch-state-dict.pt',
    null,
    /torch\.save, a pickle.*safetensors\.torch\.save_file\(model\.state_dict\(\)/,
  ],
  ['torch-legacy.pt', null, /torch\.save, a pickle.*safetensors\.torch\.save_file\(model\.state_dict\(\)/],
  ['torch-script.pt', null, /TorchScript.*save_file\(model\.state_dict\(\).*torch\.jit\.load/],
  [
    'sklearn.pkl',
    null,
    /a pickle, .*coefs_0, intercepts_0, … and its out_activation_ with np\.savez.*save_file/,
  ],
  ['sklearn.joblib', null, /compressed; .*joblib.*coefs_0/],
  ['keras.h5', null, /HDF5 file.*kernel and bias of each Dense layer/],
  [
    'a .keras archive',
    zipSync({ 'config.json': new Uint8Array(2), 'model.weights.h5': new Uint8Array(2) }),
    /a model of Keras; .*Dense layer/,
  ],
  [
    'convolution.onnx',
    null,
    /node "\/0\/Conv" \(Conv\) has the kernel_shape 28, 28; only 3, 3 are supported/,
  ],
  ['gelu.onnx', null, /node "\/2\/Erf" \(Erf\) is not supported; supported are/],
  ['external.onnx', null, /"0\.weight" are in an external file; .*onnx\.save_model/],
  ['JSON', Buffer.from('{"W1": [[1]]}'), /it is JSON; export the model as/],
] as const) {
  test(`the error for ${file} names its format and how to save the model`, () => {
    assert.throws(
      () => importModel(bytes ?? formatFixture(`foreign/${file}`)),
      isAtelierError('invalid-model-file', message),
    );
  });
}

test('layers without biases have zero biases, which the import reports', () => {
  for (const file of [formatFixture('torch-no-bias.safetensors'), formatFixture('torch-no-bias.npz')]) {
    const { parameters, assumed } = importModel(file, { activation: 'tanh' });
    assert.deepEqual(assumed, ['classNames', 'standardization', 'biases']);
    assert.ok(parameters.subarray(784 * 4, 784 * 4 + 4).every((bias) => bias === 0));
    assert.ok(parameters.subarray(-10).every((bias) => bias === 0));
  }
  const { assumed } = importModel(npzBytes([tensor('W1', 3, 784)]));
  assert.ok(assumed.includes('biases'));
});

test('reads an npz of Info-ZIP with Zip64 records', () => {
  const { parameters, source, architecture } = importModel(formatFixture('zip64.npz'));
  assert.deepEqual([source, architecture], ['npz', dense([784, 2])]);
  assert.deepEqual([...parameters.subarray(-2)], [0.5, -0.5]);
  assert.equal(parameters[0], -1);
});
