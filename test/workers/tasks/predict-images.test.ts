import assert from 'node:assert/strict';
import files from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseCalibration } from '../../../src/formats/arrays/calibration.ts';
import { npyBytes, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { judgeImages, judgementRows } from '../../../src/numerics/calibration/judge.ts';
import type { LoadedCalibration } from '../../../src/protocols/codec.ts';
import { createForward, type ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import { calibrateNetwork } from '../../../src/workers/tasks/calibrate.ts';
import { predictImages } from '../../../src/workers/tasks/predict-images.ts';
import { failure } from '../../store/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

/** Predicts class 1 for images whose second half is brighter than the first. */
const network: ServedNetwork = {
  reference: { name: 'brighter', version: 1 },
  architecture: dense([4, 2]),
  activation: 'relu',
  standardization: null,
  parameters: Float32Array.of(1, 1, -1, -1, -1, -1, 1, 1, 0, 0),
  classNames: ['first', 'second'],
};
/** More images than one pass through the network takes. Every third one is brighter in its second half. */
const COUNT = 1100;
const pixels = Uint8Array.from({ length: 4 * COUNT }, (_, i) =>
  ((i >> 2) % 3 === 0) === i % 4 >= 2 ? 200 - ((i >> 2) % 50) : (i * 7) % 100,
);
/** Every second image has the class 1. */
const labels = Uint8Array.from({ length: COUNT }, (_, n) => n % 2);

async function predict(t: TestContext, changes: Partial<Parameters<typeof predictImages>[0]> = {}) {
  const folder = await temporaryDirectory(t);
  const path = (name: string) => join(folder, name);
  const progress = new Int32Array(1);
  const input = { examples: { pixels, labels }, labelsTarget: path('labels') };
  const predicted = await predictImages({
    network,
    input,
    target: path('probabilities'),
    judging: null,
    progress,
    ...changes,
  });
  return { predicted, progress, path, read: async (name: string) => parseNpy(await readFile(path(name))) };
}

function outputsOf() {
  const observed = { pixels, logits: new Float32Array(2 * COUNT), hidden: new Float32Array() };
  const probabilities = new Float32Array(2 * COUNT);
  createForward(network)(observed.logits, probabilities, pixels);
  return { observed, probabilities };
}

test('all images of a split are predicted, counted, and written with their labels', async (t) => {
  const { predicted, progress, read } = await predict(t);
  // The images 0, 3, …, 1098 are predicted as class 1, of which the odd ones have it: 3, 9, …, 1095.
  const [second, rightSecond] = [367, 183];
  assert.deepEqual(predicted, {
    classes: [COUNT - second, second],
    // Of the 550 images with class 0, all but the 184 even ones among them.
    correct: rightSecond + (550 - (second - rightSecond)),
    unsure: null,
    judged: null,
  });
  assert.deepEqual([...progress], [COUNT]);
  const probabilities = await read('probabilities');
  assert.deepEqual(probabilities.shape, [COUNT, 2]);
  assert.deepEqual(probabilities.data, outputsOf().probabilities);
  assert.deepEqual((await read('labels')).data, labels);
});

test('the images of a file have no true labels', async (t) => {
  const path = join(await temporaryDirectory(t), 'images.npy');
  await writeFile(path, npyBytes(pixels, [COUNT, 4]));
  const { predicted, read } = await predict(t, { input: { path, scale: '0-255' } });
  assert.deepEqual(predicted, { classes: [733, 367], correct: null, unsure: null, judged: null });
  assert.deepEqual((await read('probabilities')).data, outputsOf().probabilities);
});

test('with a coverage, the set of each image is written, and unsure predictions are counted', async (t) => {
  const { file } = calibrateNetwork({ network, train: { pixels, labels }, source: 'train' });
  const loaded = parseCalibration(file);
  const { observed, probabilities } = outputsOf();
  const judgements = judgeImages(loaded, 0.9, observed, probabilities, 4);
  const target = join(await temporaryDirectory(t), 'judged');
  const calibration = { ...loaded, digest: '' } as LoadedCalibration;
  const { predicted } = await predict(t, { judging: { calibration, coverage: 0.9, target } });
  const { shape, data } = parseNpy(await readFile(target));
  assert.deepEqual(shape, [COUNT, 3]);
  assert.deepEqual(data, judgementRows(judgements, 2));
  const sure = judgements.reasons.filter((reason) => reason === null).length;
  assert.equal(predicted.judged?.counts.sure, sure);
  assert.equal(predicted.unsure, COUNT - sure);
  assert.ok(sure > 0 && sure < COUNT, `${sure} are sure`);
});

test('predictions replace no file', async (t) => {
  const target = join(await temporaryDirectory(t), 'kept');
  await writeFile(target, 'kept');
  await assert.rejects(predict(t, { target }), { code: 'EEXIST' });
  assert.equal(await readFile(target, 'utf8'), 'kept');
});

test('a full disk is named, and another failure stays as it is', async (t) => {
  let code = 'ENOSPC';
  t.mock.method(files, 'writeFileSync', () => {
    throw Object.assign(new Error('cannot write'), { code });
  });
  applyMocks(t);
  await assert.rejects(predict(t), failure('storage-full', 'the predictions'));
  code = 'EIO';
  await assert.rejects(predict(t), { code: 'EIO', message: 'cannot write' });
});
