import assert from 'node:assert/strict';
import { test } from 'node:test';
import { occlusionMap } from '../../../src/numerics/explanation/occlusion.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { Network } from '../../../src/numerics/network/layers.ts';
import { createKernelForward } from '../../../src/numerics/simd/kernel-forward.ts';
import { stripes } from '../fixtures.ts';
import { kernelModule } from '../simd/cases.ts';

const SIDE = 8;
const network: Network = {
  layerSizes: [SIDE * SIDE, 9, 4],
  activation: 'relu',
  standardization: { mean: 0.3, std: 0.35 },
};
const parameters = initialize('glorot', network.layerSizes, 2);
const { forward } = createKernelForward(
  kernelModule,
  network.layerSizes,
  network.activation,
  parameters,
  network.standardization,
);
const image = stripes(1, SIDE * SIDE, 4).pixels;

/** Probability of class 1 by the reference, with the 4×4 square at (row, column) covered. */
function probabilityWithout(row: number, column: number): number {
  const covered = image.map((value, i) => {
    const [y, x] = [Math.floor(i / SIDE), i % SIDE];
    return y >= row && y < row + 4 && x >= column && x < column + 4 ? 0 : value;
  });
  const [logits, probabilities] = [new Float64Array(4), new Float64Array(4)];
  createForward(network, parameters)(logits, probabilities, covered);
  return probabilities[1]!;
}

test('a pixel has the mean drop over the patches that cover it', () => {
  const map = occlusionMap(forward, image, SIDE, 1, 4);
  const whole = probabilityWithout(SIDE, SIDE);
  const mean = (rows: number[], columns: number[]) => {
    const drops = rows.flatMap((row) => columns.map((column) => whole - probabilityWithout(row, column)));
    return drops.reduce((sum, drop) => sum + drop, 0) / drops.length;
  };
  const expected: [pixel: number, drop: number][] = [
    [0, mean([0], [0])],
    [SIDE - 1, mean([0], [4])],
    [3 * SIDE + 2, mean([0, 2], [0, 2])],
    [4 * SIDE + 7, mean([2, 4], [4])],
    [SIDE * SIDE - 1, mean([4], [4])],
  ];
  for (const [pixel, drop] of expected) {
    assert.ok(Math.abs(map[pixel]! - drop) < 1e-6, `pixel ${pixel}: ${map[pixel]}, not ${drop}`);
    assert.ok(Math.abs(drop) > 1e-4, 'the patch matters');
  }
});

test('covering black pixels changes nothing', () => {
  const map = occlusionMap(forward, new Uint8Array(SIDE * SIDE), SIDE, 1, 4);
  assert.deepEqual(map, new Float64Array(SIDE * SIDE));
});
