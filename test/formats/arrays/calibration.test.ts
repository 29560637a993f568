/** Calibrations as safetensors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrationBytes, parseCalibration } from '../../../src/formats/arrays/calibration.ts';
import type { Calibration } from '../../../src/numerics/calibration/fit.ts';

/** n ascending numbers from `first`. */
const numbers = (first: number, n: number) => Float32Array.from({ length: n }, (_, i) => first + i / 7);
const space = (first: number) => ({
  mean: numbers(first, 2),
  components: numbers(first + 1, 4),
  points: numbers(first + 2, 6),
});

for (const [networks, spaces] of [
  ['a hidden layer', [space(0), space(30)]],
  ['no hidden layer', [space(0)]],
] as const) {
  test(`a calibration of a network with ${networks} is read as it was written, into shared memory`, () => {
    const calibration: Calibration = {
      temperature: 1 / 3,
      trueProbabilities: numbers(100, 3),
      highest: numbers(200, 3),
      second: numbers(300, 3),
      outliers: {
        spaces,
        scores: [null, ...spaces].map((_, s) => numbers(400 + s, 3)),
        combined: numbers(500, 3),
      },
    };
    const file = calibrationBytes(calibration);
    const read = parseCalibration(file);
    assert.deepEqual(read, calibration);
    const { buffer } = read.outliers.spaces[0]!.points;
    assert.ok(buffer instanceof SharedArrayBuffer);
    assert.equal(read.highest.buffer, buffer, 'all arrays are views of it');
    assert.equal(buffer.byteLength, file.length);
  });
}
