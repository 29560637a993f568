import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importRequestSchema } from '../../../src/domain/models/import.ts';

function parse(fields: Readonly<Record<string, string>>) {
  const { data, error } = importRequestSchema.safeParse({ name: 'mine', ...fields });
  return data ?? error!.issues.map(({ path, message }) => [...path, message].join(' '));
}

test('layers are lists, in which brackets can be left out', () => {
  for (const [fields, expected] of [
    [{ hidden: '40,20' }, { hidden: [40, 20] }],
    [{ hidden: ' [40, 20]' }, { hidden: [40, 20] }],
    [{ hidden: '' }, { hidden: [] }],
    [{ convolutions: '[16, [32, 32]]' }, { convolutions: [[16], [32, 32]] }],
  ] as const) {
    assert.deepEqual(parse(fields), { name: 'mine', inputShape: 'auto', ...expected });
  }
  assert.deepEqual(parse({ hidden: 'forty' }), ['hidden must be a list of sizes, such as 40,20 or [40, 20]']);
  assert.deepEqual(parse({ convolutions: '16, 32' }), [
    'convolutions must be a list of stages, such as [16, 32] or [[32, 32], [64, 64]]',
  ]);
});

test('classes need at least two names, all different', () => {
  assert.deepEqual(parse({ classNames: 'cat, dog' }), {
    name: 'mine',
    inputShape: 'auto',
    classNames: ['cat', 'dog'],
  });
  assert.deepEqual(parse({ classNames: 'cat,dog,cat' }), ['classNames must not contain the same name twice']);
  for (const wrong of ['cat', 'cat,', '["a","\\ud800"]', `a,${'b'.repeat(101)}`]) {
    assert.ok(Array.isArray(parse({ classNames: wrong })), wrong);
  }
});

test('a standardization is none, or positive deviations and means by channel', () => {
  const standardizationOf = (standardization: string) =>
    importRequestSchema.safeParse({ name: 'mine', standardization }).data?.standardization;
  assert.equal(standardizationOf('none'), null);
  const colour = { mean: [0.5, 0.25, 0], std: [1, 1, 0.5] };
  for (const right of [{ mean: 0.5, std: 0.25 }, colour, { ...colour, mean: 0 }]) {
    assert.deepEqual(standardizationOf(JSON.stringify(right)), right);
  }
  for (const wrong of [
    { mean: 0.5, std: 0 },
    { mean: 0.5 },
    { ...colour, std: [1, 1] },
    { ...colour, x: 1 },
  ]) {
    assert.equal(standardizationOf(JSON.stringify(wrong)), undefined);
  }
});

test('preprocessing and metadata are JSON', () => {
  const preprocessing = { fit: 'cover', background: 'auto', invert: 'never' };
  const metadata = { run: '7' };
  assert.deepEqual(
    parse({ preprocessing: JSON.stringify(preprocessing), metadata: JSON.stringify(metadata) }),
    { name: 'mine', inputShape: 'auto', preprocessing, metadata },
  );
  assert.deepEqual(parse({ metadata: 'run' }), [
    'metadata must be a JSON object of strings, such as {"run": "7"}',
  ]);
  assert.deepEqual(parse({ preprocessing: 'contain' }), [
    'preprocessing must be JSON such as {"fit": "contain", "background": "auto", "invert": "never"}',
  ]);
});

test('sizes, names and ids have limits', () => {
  const isValid = (fields: Readonly<Record<string, string>>) => !Array.isArray(parse(fields));
  for (const [right, wrong] of [
    [{ dataset: 'd' }, { dataset: '' }],
    [{ dataset: 'd'.repeat(64) }, { dataset: 'd'.repeat(65) }],
    [{ hidden: '1' }, { hidden: '0' }],
    [{ hidden: '4096' }, { hidden: '4097' }],
    [{ hidden: '1,1,1,1,1,1,1,1' }, { hidden: '1,1,1,1,1,1,1,1,1' }],
    [{ classNames: `a,${'b'.repeat(100)}` }, { classNames: `a,${'b'.repeat(101)}` }],
  ] as const) {
    assert.deepEqual([isValid(right), isValid(wrong)], [true, false], JSON.stringify(right));
  }
});
