import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelReferenceSchema, nameSchema, parseModelReference } from '../../src/domain/model.ts';

test('a model is referred to by name, by name@version, or by both apart', () => {
  assert.deepEqual(parseModelReference('shoes'), { name: 'shoes' });
  assert.deepEqual(parseModelReference('shoes@12'), { name: 'shoes', version: 12 });
  assert.deepEqual(parseModelReference({ name: 'shoes' }), { name: 'shoes' });
  assert.deepEqual(parseModelReference({ name: 'shoes', version: 2 }), { name: 'shoes', version: 2 });
});

test('anything else is not a reference', () => {
  const wrong = [
    '',
    'Shoes',
    'shoes@',
    'shoes@0',
    'shoes@-1',
    'shoes@x',
    '@1',
    {},
    { name: 'a', version: 0 },
  ];
  for (const reference of [...wrong, { name: 'a', v: 1 }, 7, null]) {
    assert.ok(!modelReferenceSchema.safeParse(reference).success, JSON.stringify(reference));
  }
});

test('names start with a letter or digit and have at most 64 characters', () => {
  for (const name of ['a', '0', 'fashion-mnist', 'v1.2_x', 'a'.repeat(64)])
    assert.ok(nameSchema.safeParse(name).success);
  for (const name of ['', '-a', '.a', 'A', 'a b', 'é', 'a/b', 'a\n', 'a'.repeat(65)]) {
    assert.ok(!nameSchema.safeParse(name).success, JSON.stringify(name));
  }
});
