import assert from 'node:assert/strict';
import { test } from 'node:test';
import { occlusionMap, patchCount } from '../../../src/numerics/explanation/occlusion.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { channelCount, type ImageShape, valueCount } from '../../../src/numerics/network/image-shape.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { Network } from '../../../src/numerics/network/layers.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import { dense } from '../../support/dense.ts';
import { stripes } from '../fixtures.ts';
import { kernelModule } from '../simd/cases.ts';

const PATCH = 4;

/** First rows, or columns, of the squares: every second one, and the last one that fits. */
const STARTS: Record<number, number[]> = {
  8: [0, 2, 4],
  9: [0, 2, 4, 5],
  13: [0, 2, 4, 6, 8, 9],
  20: [0, 2, 4, 6, 8, 10, 12, 14, 16],
};

function explain(shape: ImageShape, image = stripes(1, valueCount(shape), 4).pixels) {
  const network: Network = {
    architecture: dense([valueCount(shape), 9, 4]),
    activation: 'relu',
    standardization: { mean: 0.3, std: 0.35 },
  };
  const { architecture, activation, standardization } = network;
  const parameters = initialize('glorot', architecture, 2);
  const kernel = createKernelForward(kernelModule, architecture, activation, parameters, standardization);
  const reference = createForward(network, parameters);

  /** Probability of class 1 by the reference, with the square at (row, column) covered in all channels. */
  function probabilityWithout(row: number, column: number): number {
    const covered = image.map((value, i) => {
      const pixel = Math.floor(i / channelCount(shape));
      const [y, x] = [Math.floor(pixel / shape[1]), pixel % shape[1]];
      return y >= row && y < row + PATCH && x >= column && x < column + PATCH ? 0 : value;
    });
    const [logits, probabilities] = [new Float64Array(4), new Float64Array(4)];
    reference(logits, probabilities, covered);
    return probabilities[1]!;
  }
  return { map: occlusionMap(kernel.forward, image, shape, 1, 4), probabilityWithout };
}

for (const shape of [
  [8, 8],
  [9, 13],
  [13, 8, 3],
  [20, 9],
] as const) {
  test(`a pixel of ${shape.join('×')} has the mean drop over the patches that cover it`, () => {
    const [height, width] = shape;
    const { map, probabilityWithout } = explain(shape);
    const whole = probabilityWithout(height, width);
    const drops = STARTS[height]!.flatMap((row) =>
      STARTS[width]!.map((column) => ({ row, column, drop: whole - probabilityWithout(row, column) })),
    );
    assert.equal(map.length, height * width);
    assert.equal(drops.length, patchCount(shape));
    for (const [pixel, actual] of map.entries()) {
      const [y, x] = [Math.floor(pixel / width), pixel % width];
      const covering = drops.filter(
        ({ row, column }) => y >= row && y < row + PATCH && x >= column && x < column + PATCH,
      );
      const mean = covering.reduce((sum, { drop }) => sum + drop, 0) / covering.length;
      assert.ok(Math.abs(actual - mean) < 1e-6, `pixel ${pixel}: ${actual}, not ${mean}`);
    }
    assert.ok(
      drops.some(({ drop }) => Math.abs(drop) > 1e-3),
      'a patch matters',
    );
  });
}

test('covering black pixels changes nothing', () => {
  const { map } = explain([8, 8], new Uint8Array(64));
  assert.deepEqual(map, new Float64Array(64));
});
