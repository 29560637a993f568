import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { npzBytes } from '../../../src/formats/arrays/npz.ts';
import { safetensorsBytes } from '../../../src/formats/arrays/safetensors.ts';
import { layerTensors } from '../../../src/formats/arrays/tensor.ts';
import { exportModel } from '../../../src/formats/models/export.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../../src/formats/models/export-formats.ts';
import { type ImportHints, importModel } from '../../../src/formats/models/import.ts';
import { jsonParameters } from '../../../src/formats/models/json.ts';
import { parametersDigest } from '../../../src/formats/models/metadata.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { formatFixture, modelOf, shapeFixtures, tensor } from '../fixtures.ts';

for (const { file, images, inputShape, given, activation, standardization, probabilities } of shapeFixtures) {
  test(`${file} gives the predictions of the program that wrote it`, () => {
    const hints: ImportHints = { inputShape: given, activation };
    const model = importModel(formatFixture(`shapes/${file}`), hints);
    assert.deepEqual(model.architecture.inputShape, inputShape);
    if (standardization) assert.deepEqual(model.standardization, standardization);
    const expected = probabilities.flat();
    const pixels = (parseNpy(formatFixture(`shapes/${images}`)).data as Uint8Array).subarray(
      0,
      probabilities.length * valueCount(inputShape),
    );
    const found = new Float64Array(expected.length);
    const network = { ...model, activation: model.activation ?? 'identity' };
    createForward(network, model.parameters)(found.slice(), found, pixels);
    expected.forEach((value, i) => {
      assert.ok(Math.abs(found[i]! - value) <= 1e-6, `${found[i]} at ${i}, not ${value}`);
    });
  });
}

for (const inputShape of [
  [8, 8],
  [20, 44],
  [64, 64, 3],
] as const) {
  const shown = inputShape.join('×');
  const standardization =
    inputShape.length === 3
      ? { mean: [0.5, 0.25, 0.125] as [number, number, number], std: 0.5 }
      : { mean: 0.25, std: 0.5 };
  const model = modelOf(dense([valueCount(inputShape), 3, 2], inputShape), { standardization });

  test(`a model of ${shown} images is restored bit for bit from every format`, () => {
    for (const format of EXPORT_FORMATS) {
      const file = exportModel(model, format);
      if (format === 'json') {
        assert.equal(parametersDigest(jsonParameters(file)), model.digest);
        assert.deepEqual(JSON.parse(Buffer.from(file).toString()).inputShape, inputShape);
        continue;
      }
      const isKnown = format === 'safetensors' || format === 'onnx';
      const found = importModel(file, isKnown ? {} : { inputShape, hidden: [3] });
      assert.equal(parametersDigest(found.parameters), model.digest, format);
      assert.deepEqual(found.architecture.inputShape, inputShape);
      if (isKnown) assert.deepEqual(found.standardization, standardization);
    }
  });
}

test('the files of 28×28 models have no shape, as in earlier releases', () => {
  for (const format of ['safetensors', 'json', 'onnx'] satisfies ExportFormat[])
    assert.doesNotMatch(
      Buffer.from(exportModel(modelOf(dense([784, 3])), format)).toString('latin1'),
      /input_?shape/i,
    );
});

const colour = modelOf(dense([3072, 3, 2], [32, 32, 3]));

/** The first layer takes one plane after another. */
function planes() {
  const [weights, ...others] = layerTensors(colour.architecture, colour.parameters);
  const { shape, data } = weights!;
  const pixel = (i: number) => (i % 1024) * 3 + Math.floor(i / 1024);
  const planar = data.map((_, i) => data[i - (i % 3072) + pixel(i % 3072)]!);
  return [{ name: 'W1', shape, data: planar }, ...others];
}

test('weights of planes become weights of pixels, in npz, safetensors and packed vectors', () => {
  const packed = Float32Array.from(planes().flatMap(({ data }) => [...data]));
  const vector = exportModel({ ...colour, parameters: packed }, 'npy');
  for (const file of [npzBytes(planes()), safetensorsBytes(planes(), {}), vector]) {
    const found = importModel(file, { inputShape: [3, 32, 32], hidden: [3] });
    assert.deepEqual(found.architecture.inputShape, [32, 32, 3]);
    assert.equal(parametersDigest(found.parameters), colour.digest);
    const asSent = importModel(file, { inputShape: [32, 32, 3], hidden: [3] });
    assert.deepEqual(asSent.parameters, packed);
  }
});

test('images of unknown shape are grey squares of 8 to 64 pixels a side', () => {
  for (const [inputs, side] of [
    [64, 8],
    [784, 28],
    [3072 / 3, 32],
    [4096, 64],
  ] as const) {
    const { architecture } = importModel(npzBytes([tensor('W1', 3, inputs), tensor('b1', 3)]));
    assert.deepEqual(architecture.inputShape, [side, side]);
  }
  for (const [inputs, message, pointer] of [
    [3072, '3072 values .* the field inputShape', '#/inputShape'],
    [880, '880 values .* the field inputShape', '#/inputShape'],
    [49, 'no image .* has 49 values', '#/file'],
    [4225, 'no image .* has 4225 values', '#/file'],
  ] as const)
    assert.throws(
      () => importModel(npzBytes([tensor('W1', 3, inputs), tensor('b1', 3)])),
      isAtelierError(
        'invalid-model-file',
        new RegExp(`"W1" has shape \\(3, ${inputs}\\), but ${message}`),
        pointer,
      ),
    );
});

test('layers whose names have no order begin with the images, of any shape', () => {
  const layer = (name: string, units: number, inputs: number) => [
    tensor(`${name}.weight`, units, inputs),
    tensor(`${name}.bias`, units),
  ];
  const small = npzBytes([...layer('out', 3, 64), ...layer('entry', 64, 100)]);
  assert.deepEqual(importModel(small).architecture, dense([100, 64, 3]));
  const wide = npzBytes([...layer('out', 3, 784), ...layer('entry', 784, 880)]);
  assert.deepEqual(importModel(wide, { inputShape: [20, 44] }).architecture, dense([880, 784, 3], [20, 44]));
  const loop = npzBytes([...layer('one', 64, 100), ...layer('two', 100, 64)]);
  assert.throws(() => importModel(loop), isAtelierError('invalid-model-file', /not determine whether/));
  assert.deepEqual(importModel(loop, { inputShape: [10, 10] }).architecture, dense([100, 64, 100]));
});

for (const [defect, file, hints, message] of [
  [
    'the metadata has another shape',
    exportModel(colour, 'safetensors'),
    { inputShape: [3, 32, 32] },
    /its inputShape is \[32,32,3\], but the request has \[3,32,32\]; omit it/,
  ],
  [
    'the first layer has other inputs',
    exportModel(modelOf(dense([64, 3])), 'npz'),
    { inputShape: [8, 9] },
    /"W1" has shape \(3, 64\), but must have \(units, 72\)/,
  ],
  [
    'a packed vector has other inputs',
    exportModel(colour, 'npy'),
    { inputShape: [32, 32], hidden: [5] },
    /do not fit a 1024-5 network/,
  ],
  [
    'grey images have three means',
    exportModel(modelOf(dense([64, 3])), 'npz'),
    { standardization: { mean: [0.1, 0.2, 0.3], std: 1 } },
    /its standardization is by channel, but its images are grey/,
  ],
] as const satisfies [string, Uint8Array, ImportHints, RegExp][]) {
  test(`rejects a file if ${defect}`, () => {
    assert.throws(() => importModel(file, hints), isAtelierError('invalid-model-file', message));
  });
}
