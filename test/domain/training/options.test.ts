import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { findTrainingConflicts } from '../../../src/domain/training/conflicts.ts';

const page = await readFile(join(import.meta.dirname, '../../../docs/reference/training-options.md'), 'utf8');
/** Whether the page has the name as code, as a quoted value, or as a heading. */
const isDocumented = (name: string) =>
  [`\`${name}\``, `\`"${name}"\``, `\`training.${name}\``].some((text) => page.includes(text));

/** Every property and every enum value of a JSON schema. */
function namesIn(schema: unknown, names = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return names;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value)) names.add(name);
    if (key === 'enum') for (const word of value) names.add(word);
    if (key === 'const' && typeof value === 'string') names.add(value);
    namesIn(value, names);
  }
  return names;
}

test('the documentation lists every option of a training, and every allowed value', () => {
  const names = namesIn(z.toJSONSchema(trainingRequestSchema, { io: 'input' }));
  assert.ok(names.size > 60);
  // The page shows these only as parts of a longer name or value.
  for (const part of ['type', 'fraction', 'name', 'version', 'network', 'training']) names.delete(part);
  const missing = [...names].filter((name) => !isDocumented(name));
  assert.deepEqual(missing, []);
});

test('the example in the documentation is a valid request without conflicts', () => {
  const [, body] = /-d '(\{.*?\})'/s.exec(page)!;
  const request = trainingRequestSchema.parse(JSON.parse(body!));
  assert.deepEqual(
    findTrainingConflicts(
      request,
      { imageShape: [28, 28], classNames: Array(10).fill(''), validation: null },
      6000,
    ),
    [],
  );
});

test('every option of a training accepts the values up to its limits, and none beyond', () => {
  const dataset = 'mine';
  const accepts = (training: object) => trainingRequestSchema.safeParse({ dataset, training }).success;
  const optimizer = (type: string, field: string) => (value: unknown) => ({
    optimizer: { type, [field]: value },
  });
  const schedule =
    (type: string, field: string, others = {}) =>
    (value: unknown) => ({ schedule: { type, ...others, [field]: value } });
  const part = (name: string, field: string) => (value: unknown) => ({ [name]: { [field]: value } });
  const peak = { peak: 1 };
  const cases: readonly [place: (value: unknown) => object, valid: unknown[], invalid: unknown[]][] = [
    [optimizer('sgd', 'learningRate'), [1e-6, 100], [0, 100.1]],
    [optimizer('sgd', 'momentum'), [0, 0.999], [-0.1, 1]],
    [optimizer('sgd', 'weightDecay'), [0, 100], [-0.1, 100.1]],
    [optimizer('rmsprop', 'alpha'), [0, 0.999], [-0.1, 1]],
    [optimizer('adam', 'beta1'), [0, 0.999], [-0.1, 1]],
    [optimizer('adam', 'beta2'), [0, 0.999], [-0.1, 1]],
    [optimizer('adam', 'epsilon'), [1], [0, 1.1]],
    [schedule('step', 'every'), [1, 10_000], [0, 10_001, 1.5]],
    [schedule('step', 'factor', { every: 1 }), [0.001, 0.999], [0, 1]],
    [schedule('exponential', 'factor'), [0.001, 1], [0, 1.1]],
    [schedule('cosine', 'final'), [0, 1], [-0.1, 1.1]],
    [schedule('warmup-cosine', 'warmupEpochs'), [0.1, 10_000], [0, 10_001]],
    [schedule('cosine-restarts', 'period'), [0.1, 10_000], [0, 10_001]],
    [schedule('cosine-restarts', 'periodFactor', { period: 1 }), [1, 10], [0, 11, 1.5]],
    [schedule('plateau', 'patience'), [1, 10_000], [0, 10_001, 1.5]],
    [schedule('plateau', 'minDelta'), [0, 100], [-0.1, 100.1]],
    [schedule('one-cycle', 'peak'), [1e-6, 100], [0, 100.1]],
    [schedule('one-cycle', 'warmupFraction', peak), [0.001, 0.999], [0, 1]],
    [schedule('one-cycle', 'final', peak), [0, 1], [-0.1, 1.1]],
    [part('augmentation', 'shift'), [0, 14], [-1, 15, 1.5]],
    [part('augmentation', 'rotation'), [0, 45], [-0.1, 45.1]],
    [part('augmentation', 'scale'), [0, 0.5], [-0.1, 0.51]],
    [part('augmentation', 'noise'), [0, 1], [-0.1, 1.1]],
    [part('augmentation', 'erase'), [0, 1], [-0.1, 1.1]],
    [part('mixup', 'alpha'), [0.001, 1], [0, 1.1]],
    [part('distillation', 'teachers'), [['m'], Array(8).fill('m')], [[], Array(9).fill('m')]],
    [part('ema', 'decay'), [0.001, 0.9999], [0, 1]],
    [part('earlyStopping', 'patience'), [1, 10_000], [0, 10_001, 1.5]],
    [part('budget', 'seconds'), [0.1, 604_800], [0, 604_801]],
    [part('budget', 'targetValidationAccuracy'), [0.001, 1], [0, 1.1]],
    [
      (classWeights) => ({ classWeights }),
      [[0, 1e6], Array(1000).fill(1)],
      [[1], [1, -1], [1, 1e6 + 1], Array(1001).fill(1)],
    ],
  ];
  for (const [place, valid, invalid] of cases) {
    for (const value of valid) assert.ok(accepts(place(value)), JSON.stringify(place(value)));
    for (const value of invalid) assert.ok(!accepts(place(value)), JSON.stringify(place(value)));
  }
});
