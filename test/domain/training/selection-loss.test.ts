import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochRecord } from '../../../src/domain/jobs/epoch-record.ts';
import { isImprovement } from '../../../src/domain/training/selection-loss.ts';
import { readExamples } from '../../../src/http/openapi/examples.ts';

const examples = await readExamples();

const record = (losses: Pick<EpochRecord, 'validationLoss' | 'trainLoss'>): EpochRecord => ({
  ...(examples['EpochRecord'] as EpochRecord),
  ...losses,
});

test('the first epoch is the best so far', () => {
  assert.ok(isImprovement(record({ validationLoss: 9, trainLoss: 9 }), null));
});

test('the lower validation loss is better, regardless of the training loss', () => {
  const best = record({ validationLoss: 0.5, trainLoss: 0.1 });
  assert.ok(isImprovement(record({ validationLoss: 0.4, trainLoss: 0.9 }), best));
  assert.ok(
    !isImprovement(record({ validationLoss: 0.5, trainLoss: 0 }), best),
    'of equals the earlier one stays',
  );
});

test('without validation the training loss decides', () => {
  const best = record({ validationLoss: null, trainLoss: 0.5 });
  assert.ok(isImprovement(record({ validationLoss: null, trainLoss: 0.4 }), best));
  assert.ok(!isImprovement(record({ validationLoss: null, trainLoss: 0.6 }), best));
});
