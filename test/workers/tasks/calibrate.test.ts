import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrationLimits } from '../../../src/workers/tasks/calibrate.ts';
import { dense } from '../../support/dense.ts';

test('images and wide hidden layers limit the images of a calibration together', () => {
  const limits = (inputs: number, ...hidden: number[]) =>
    calibrationLimits({ architecture: dense([inputs, ...hidden, 10]) });
  const most = { calibration: 10_000, training: 5_000 };
  assert.deepEqual(limits(784, 40), most);
  // A byte of the 12,288 values of an image of 64×64×3 takes a quarter of a float32.
  assert.deepEqual(limits(12_288), most);
  assert.deepEqual(limits(784, 4096), { calibration: 8192, training: 5_000 });
  assert.deepEqual(limits(784, 8192), { calibration: 4096, training: 4096 });
});
