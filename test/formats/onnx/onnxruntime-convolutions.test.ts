/** Networks with convolutions: files of PyTorch, imported and exported again, in ONNX Runtime. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import ort from 'onnxruntime-node';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { exportModel } from '../../../src/formats/models/export.ts';
import { ONNX_INPUTS, type OnnxInput } from '../../../src/formats/models/export-formats.ts';
import { importModel } from '../../../src/formats/models/import.ts';
import type { PublishedModel } from '../../../src/formats/models/metadata.ts';
import { NORMS } from '../../../src/numerics/network/architecture.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { channelCount, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { createForward as createServedForward } from '../../../src/workers/kernel/compile.ts';
import { convolutionFixtures, formatFixture, modelOf, numbers, publishedModel } from '../fixtures.ts';
import { toPlanes } from './planes.ts';

async function run(model: PublishedModel, input: OnnxInput, pixels: Uint8Array, images: number) {
  const { inputShape } = model.architecture;
  const session = await ort.InferenceSession.create(exportModel(model, 'onnx', input));
  const planes = toPlanes(pixels, inputShape);
  const data = input === 'uint8' ? planes : Float32Array.from(planes, (pixel) => pixel / 255);
  const dims = [images, channelCount(inputShape), inputShape[0], inputShape[1]];
  const image = new ort.Tensor(input === 'uint8' ? 'uint8' : 'float32', data, dims);
  const { probabilities } = await session.run({ image });
  await session.release();
  return probabilities!.data as Float32Array;
}

function forward(model: PublishedModel, pixels: Uint8Array, images: number) {
  const probabilities = new Float64Array(images * model.architecture.classes);
  createForward(model, model.parameters)(probabilities.slice(), probabilities, pixels);
  return probabilities;
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++)
    assert.ok(Math.abs(found[i]! - expected[i]!) <= tolerance, `${found[i]} at ${i}, not ${expected[i]}`);
}

for (const fixture of convolutionFixtures) {
  const { file, inputShape, convolutions, norm = 'none', hidden, activation, probabilities } = fixture;
  test(`${file} gives the predictions of PyTorch, and so does its export in ONNX Runtime`, async () => {
    const { standardization = null, given } = fixture;
    const imported = importModel(formatFixture(`convolutions/${file}`), { activation, ...given });
    const classes = probabilities[0]!.length;
    assert.deepEqual(imported.architecture, { inputShape, convolutions, norm, hidden, classes });
    assert.deepEqual(imported.standardization, standardization);
    const model = publishedModel({ ...imported, activation }, imported.parameters);
    const pixels = parseNpy(formatFixture(`convolutions/${inputShape.join('x')}.npy`)).data as Uint8Array;
    const images = probabilities.length;
    // A folded batch normalization is rounded to float32.
    assertClose(forward(model, pixels, images), probabilities.flat(), file.includes('batch') ? 1e-6 : 1e-12);
    for (const input of ONNX_INPUTS)
      assertClose(await run(model, input, pixels, images), probabilities.flat(), 2e-6);
  });
}

const IMAGES = 20;
const byChannel = {
  mean: [0.49, 0.48, 0.45] as [number, number, number],
  std: [0.25, 0.24, 0.26] as [number, number, number],
};

for (const [inputShape, convolutions] of [
  [
    [28, 28],
    [[16], [32]],
  ],
  [
    [20, 44],
    [[8, 8], [16]],
  ],
  [
    [32, 32, 3],
    [[12], [16, 16], [20]],
  ],
  [
    [13, 11],
    [[4], [8]],
  ],
  [
    [9, 63, 3],
    [[8], [8], [4]],
  ],
] as const) {
  for (const norm of NORMS) {
    const shown = `${inputShape.join('×')}, norm ${norm}`;
    test(`ONNX Runtime agrees with the service and its reference on images of ${shown}`, async () => {
      const standardization = inputShape.length === 3 ? byChannel : { mean: 0.4, std: 0.3 };
      const architecture = { inputShape, convolutions, norm, hidden: [16], classes: 10 };
      const small = modelOf(architecture, { standardization, activation: 'relu' });
      const model = { ...small, parameters: small.parameters.map((weight) => 4 * weight) };
      const pixels = Uint8Array.from(
        numbers(IMAGES * valueCount(inputShape)),
        (number) => (number + 0.05) * 2560,
      );
      const expected = forward(model, pixels, IMAGES);
      const served = new Float32Array(expected.length);
      createServedForward(model)(served.slice(), served, pixels);
      assertClose(served, expected, 2e-6);
      assert.ok(new Set(expected.map((each) => Math.round(each * 1e5))).size > 20, 'images differ');
      for (const input of ONNX_INPUTS) assertClose(await run(model, input, pixels, IMAGES), expected, 2e-6);
    });
  }
}
