import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { Examples } from '../../../src/numerics/training/engine.ts';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { calibrateNetwork, calibrationLimits } from '../../../src/workers/tasks/calibrate.ts';
import { findHeldOut } from '../../../src/workers/tasks/evaluate.ts';
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

const architecture = dense([4, 3, 2]);
const network: ServedNetwork = {
  reference: { name: 'small', version: 1 },
  architecture,
  activation: 'relu',
  standardization: null,
  parameters: Float32Array.from(initialize('he', architecture, 1)),
  classNames: ['even', 'odd'],
};

/** Every image differs. */
function imagesOf(count: number): Examples {
  const pixels = Uint8Array.from({ length: 4 * count }, (_, i) => (i * 89 + (i >> 2) * 7) % 256);
  return { pixels, labels: Uint8Array.from({ length: count }, (_, n) => (n % 5) % 2) };
}

function choose({ pixels, labels }: Examples, indices: readonly number[]): Examples {
  return {
    pixels: Uint8Array.from(indices.flatMap((n) => [...pixels.subarray(4 * n, 4 * n + 4)])),
    labels: Uint8Array.from(indices, (n) => labels[n]!),
  };
}

test('calibrates on the images that splits hold out, or on every second one, compared with the others', () => {
  const all = imagesOf(400);
  const held = findHeldOut(all.labels, [{ seed: 3, holdout: { fraction: 0.5 }, examples: 400 }]);
  const odd = Array.from(all.labels.keys()).filter((n) => n % 2 === 1);
  for (const [source, chosen] of [
    [[{ seed: 3, holdout: { fraction: 0.5 }, examples: 400 }], held],
    ['train', odd],
  ] as const) {
    const others = Array.from(all.labels.keys()).filter((n) => !chosen.includes(n));
    const calibrated = calibrateNetwork({ network, train: all, source });
    const expected = calibrateNetwork({
      network,
      train: choose(all, others),
      source: choose(all, chosen),
    });
    assert.deepEqual(calibrated, expected);
    assert.equal(calibrated.onlyClass, null);
  }
});

test('names the class if all images of a calibration have the same', () => {
  const train = imagesOf(100);
  const source = { ...train, labels: new Uint8Array(100).fill(1) };
  assert.equal(calibrateNetwork({ network, train, source }).onlyClass, 'odd');
});

test('refuses fewer than 100 images, and a network that overflows', () => {
  const refusal = (message: RegExp) => ({ code: 'impossible-request', message });
  const [most, enough] = [imagesOf(99), imagesOf(100)];
  assert.throws(
    () => calibrateNetwork({ network, train: enough, source: most }),
    refusal(/^The split has too few images \(99; at least 100 are needed\)\./),
  );
  assert.throws(
    () => calibrateNetwork({ network, train: enough, source: 'train' }),
    refusal(/\(50, every second one of 100; at least 100 are needed\)/),
  );
  const parameters = new Float32Array(network.parameters.length).fill(1e38);
  assert.throws(
    () => calibrateNetwork({ network: { ...network, parameters }, train: enough, source: enough }),
    refusal(/^The logits of small version 1 overflow/),
  );
});
