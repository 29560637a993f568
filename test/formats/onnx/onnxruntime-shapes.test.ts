/** Exported graphs of images of other shapes in ONNX Runtime, which takes planes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import ort from 'onnxruntime-node';
import { exportModel } from '../../../src/formats/models/export.ts';
import { ONNX_INPUTS } from '../../../src/formats/models/export-formats.ts';
import { channelCount, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { createForward } from '../../../src/workers/kernel/compile.ts';
import { dense } from '../../support/dense.ts';
import { modelOf, numbers } from '../fixtures.ts';
import { toPlanes } from './planes.ts';

const IMAGES = 200;
const CLASSES = 10;
const grey = { mean: 0.4, std: 0.3 };
const colour = {
  mean: [0.49, 0.48, 0.45] as [number, number, number],
  std: [0.25, 0.24, 0.26] as [number, number, number],
};

for (const [inputShape, standardization] of [
  [[8, 8], null],
  [[20, 44], grey],
  [[32, 32, 3], null],
  [[32, 32, 3], grey],
  [[32, 32, 3], colour],
] as const) {
  const kind =
    standardization === colour ? ', standardized by channel' : standardization ? ', standardized' : '';
  test(`ONNX Runtime agrees with the service on images of ${inputShape.join('×')}${kind}`, async () => {
    const values = valueCount(inputShape);
    const small = modelOf(dense([values, 16, CLASSES], inputShape), { standardization });
    const model = { ...small, parameters: small.parameters.map((weight) => 4 * weight) };
    const pixels = Uint8Array.from(numbers(IMAGES * values), (number) => (number + 0.05) * 2560);
    const served = new Float32Array(IMAGES * CLASSES);
    createForward(model)(served.slice(), served, pixels);
    for (const input of ONNX_INPUTS) {
      const session = await ort.InferenceSession.create(exportModel(model, 'onnx', input));
      const planes = toPlanes(pixels, inputShape);
      const data = input === 'uint8' ? planes : Float32Array.from(planes, (pixel) => pixel / 255);
      const dims = [IMAGES, channelCount(inputShape), inputShape[0], inputShape[1]];
      const image = new ort.Tensor(input === 'uint8' ? 'uint8' : 'float32', data, dims);
      const { probabilities, label } = await session.run({ image });
      await session.release();
      assert.deepEqual(label!.dims, [IMAGES]);
      (probabilities!.data as Float32Array).forEach((found, i) => {
        assert.ok(Math.abs(found - served[i]!) <= 2e-6, `${found} at ${i}, not ${served[i]}`);
      });
    }
  });
}
