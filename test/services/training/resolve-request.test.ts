import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { countImages } from '../../../src/services/training/examples.ts';
import {
  assertNoConflicts,
  countSteps,
  fillDefaults,
  initialProgress,
} from '../../../src/services/training/resolve-request.ts';

const labels = Uint8Array.from({ length: 40 }, (_, n) => n % 2);
const images = { pixels: new Uint8Array(0), labels };
const dataset: Dataset = {
  id: 'd',
  imageShape: [28, 28],
  classNames: ['a', 'b'],
  digest: '',
  train: images,
  validation: null,
  learning: images,
  test: images,
};
const request = (training: object = {}) => trainingRequestSchema.parse({ dataset: 'd', training });

test('a fraction of each class is held out, and nothing without validation', () => {
  for (const [validation, held] of [
    [{ fraction: 0.1 }, 4],
    [{ fraction: 0.25 }, 10],
    [{ fraction: 0.1 }, 4],
    [{ fraction: 0 }, 0],
    [null, 0],
  ] as const) {
    assert.equal(countImages(request({ validation }), dataset).heldOut, held);
  }
});

test('a job has as many steps as batches fit into its epochs, the last of which may be smaller', () => {
  assert.equal(countSteps(request({ epochs: 3, batchSize: 36 }), dataset), 3);
  assert.equal(countSteps(request({ epochs: 3, batchSize: 35 }), dataset), 6);
  assert.deepEqual(initialProgress(request({ epochs: 3, batchSize: 8 }), dataset), {
    epoch: 0,
    epochs: 3,
    step: 0,
    steps: 15,
    fraction: 0,
    imagesPerSecond: null,
    etaSeconds: null,
  });
  assert.throws(() => countSteps(request({ batchSize: 37 }), dataset), {
    code: 'impossible-request',
    message:
      'A batch of 37 is larger than the training split of 36 images (4 of 40 images are held out for validation).',
    details: [{ pointer: '#/training/batchSize', detail: 'must be at most 36' }],
  });
});

test('the defaults of the service apply only to what a request leaves out', () => {
  const notify = { url: 'https://a.example', secret: '' };
  const filled = fillDefaults({ ...request(), notify }, dataset, 'last');
  assert.deepEqual([filled.modelName, filled.training.keepCheckpoints], ['d', 'last']);
  assert.ok(!('notify' in filled));
  const given = { ...request({ keepCheckpoints: 'none' }), modelName: 'mine' };
  const kept = fillDefaults(given, dataset, 'last');
  assert.deepEqual([kept.modelName, kept.training.keepCheckpoints], ['mine', 'none']);
});

test('conflicting options are reported together', () => {
  assert.doesNotThrow(() => assertNoConflicts([]));
  const conflicts = [
    { pointer: '#/training/ema', detail: 'must be null' },
    { pointer: '#/training/mixup', detail: 'must be null, too' },
  ];
  assert.throws(() => assertNoConflicts(conflicts), {
    code: 'impossible-request',
    message: 'Conflicting options: #/training/ema must be null. #/training/mixup must be null, too.',
    details: conflicts,
  });
});
