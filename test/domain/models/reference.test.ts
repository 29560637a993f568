import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { describeIssue, parse } from '../../../src/domain/messages/describe-issue.ts';
import {
  aliasNameSchema,
  isJobId,
  modelReferenceSchema,
  nameSchema,
  parseModelReference,
  publishedReferenceSchema,
} from '../../../src/domain/models/reference.ts';

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

test('describes the numbers, the kind of model and the type of a version that are allowed', () => {
  const detail = (schema: z.ZodType, data: unknown) =>
    describeIssue(parse(schema, data).error!.issues[0]!, schema, data)[0]!.detail;
  for (const reference of ['mine@0', 'mine@-1', `mine@${'9'.repeat(20)}`]) {
    assert.match(
      detail(publishedReferenceSchema, reference),
      /versions are whole numbers from 1 to 999999999$/,
    );
    assert.match(
      detail(modelReferenceSchema, reference),
      /versions and steps are whole numbers from 1 to 999/,
    );
  }
  const checkpoint = 'job_01M87ZJ9GPMXZJH0KH4EEVFZ6C@70';
  assert.match(detail(publishedReferenceSchema, checkpoint), /published model, not a checkpoint of a job/);
  assert.ok(modelReferenceSchema.safeParse(checkpoint).success);
  for (const schema of [publishedReferenceSchema, modelReferenceSchema]) {
    assert.match(detail(schema, { name: 'mine', version: '1' }), /a version number without quotes/);
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
