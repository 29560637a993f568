import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  annotationsSchema,
  modelSchema,
  modelVersionSchema,
} from '../../../src/domain/models/representation.ts';

const isValid = (annotations: object) => annotationsSchema.safeParse(annotations).success;

test('a change of annotations is stricter than what an earlier release may have stored', () => {
  const { description, metadata } = modelVersionSchema.shape;
  for (const text of ['a\0b', 'a\uD800']) {
    assert.equal(isValid({ description: text }), false);
    assert.equal(isValid({ metadata: { note: text } }), false);
    assert.equal(description.safeParse(text).success, true);
    assert.equal(metadata.safeParse({ note: text }).success, true);
  }
});

test('annotations can be changed one by one, up to their limits', () => {
  const tags = Array.from({ length: 17 }, (_, n) => `t${n}`);
  for (const annotations of [
    {},
    { description: null },
    { description: 'x'.repeat(2000) },
    { metadata: { run: '7' } },
    { tags: tags.slice(1) },
  ]) {
    assert.ok(isValid(annotations), JSON.stringify(annotations));
  }
  for (const annotations of [{ description: 'x'.repeat(2001) }, { tags }, { version: 2 }]) {
    assert.ok(!isValid(annotations), JSON.stringify(annotations));
  }
});

test('a model is ready whenever it says so', () => {
  const { ready } = modelSchema.shape;
  assert.deepEqual(
    [true, undefined, false].map((value) => ready.safeParse(value).success),
    [true, true, false],
  );
});
