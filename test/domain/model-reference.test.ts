import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aliasNameSchema,
  isJobId,
  modelReferenceSchema,
  nameSchema,
  parseModelReference,
} from '../../src/domain/model-reference.ts';

test('accepts a model reference as name, name@version, or an object', () => {
  assert.deepEqual(parseModelReference('shoes'), { name: 'shoes' });
  assert.deepEqual(parseModelReference('shoes@12'), { name: 'shoes', version: 12 });
  assert.deepEqual(parseModelReference('shoes@champion'), { name: 'shoes', version: 'champion' });
  assert.deepEqual(parseModelReference('shoes@2b'), { name: 'shoes', version: '2b' });
  assert.deepEqual(parseModelReference({ name: 'shoes' }), { name: 'shoes' });
  assert.deepEqual(parseModelReference({ name: 'shoes', version: 2 }), { name: 'shoes', version: 2 });
});

test('rejects anything else as a reference', () => {
  const wrong = [
    '',
    'Shoes',
    'shoes@',
    'shoes@0',
    'shoes@-1',
    'shoes@X',
    'shoes@00',
    'shoes@1234567890',
    'shoes@a@b',
    '@1',
    {},
    { name: 'a', version: 0 },
    { name: 'a', version: '3' },
  ];
  for (const reference of [...wrong, { name: 'a', v: 1 }, 7, null]) {
    assert.ok(!modelReferenceSchema.safeParse(reference).success, JSON.stringify(reference));
  }
});

test('the form of a reference determines its kind', () => {
  for (const reference of ['a', 'a@1', 'a@best', { name: 'a' }, { name: 'a', version: 'best' }]) {
    assert.ok(modelReferenceSchema.safeParse(reference).success, JSON.stringify(reference));
  }
  assert.ok(isJobId('job_01M87ZJ9GPMXZJH0KH4EEVFZ6C'));
  assert.ok(!isJobId('job_mine'), 'a model may be called that');
});

test('an alias is a name, but not a number', () => {
  for (const name of ['champion', '1a', 'v1', '2026-11', '1.5', 'a'.repeat(64)]) {
    assert.ok(aliasNameSchema.safeParse(name).success, name);
  }
  for (const name of ['', '1', '007', '-a', 'A', 'a b', 'a\n', '1\n', 'a'.repeat(65)]) {
    assert.ok(!aliasNameSchema.safeParse(name).success, JSON.stringify(name));
  }
});

test('names start with a letter or digit and have at most 64 characters', () => {
  for (const name of ['a', '0', 'fashion-mnist', 'v1.2_x', 'a'.repeat(64)])
    assert.ok(nameSchema.safeParse(name).success);
  for (const name of ['', '-a', '.a', 'A', 'a b', 'é', 'a/b', 'a\n', 'a'.repeat(65)]) {
    assert.ok(!nameSchema.safeParse(name).success, JSON.stringify(name));
  }
});
