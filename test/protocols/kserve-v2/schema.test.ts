import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inferRequestSchema, repositoryIndexSchema } from '../../../src/protocols/kserve-v2/schema.ts';

const input = { name: 'image', shape: [0, 64], datatype: 'FP32' };
const accepts = (changes: object, own: object = {}) =>
  inferRequestSchema.safeParse({ inputs: [{ ...input, ...own }], ...changes }).success;

test('a request may have unknown and null fields, as other clients write them', () => {
  assert.ok(accepts({ id: null, other: 1, outputs: null, parameters: { timeout: 3, priority: null } }));
  assert.ok(accepts({}, { parameters: { binary_data_size: 0, content_type: null, other: true } }));
  assert.ok(accepts({ outputs: [{ name: 'label', parameters: { classification: 0, binary_data: true } }] }));
});

test('sizes are not negative, and tensors are in the body', () => {
  for (const wrong of [
    accepts({}, { shape: [-1, 64] }),
    accepts({}, { shape: [0.5] }),
    accepts({}, { parameters: { binary_data_size: -1 } }),
    accepts({}, { parameters: { shared_memory_region: 'a' } }),
    accepts({ outputs: [{ name: 'label', parameters: { classification: -1 } }] }),
    accepts({ parameters: { coverage: 1 } }),
    accepts({ parameters: { nested: {} } }),
  ])
    assert.equal(wrong, false);
});

test('every listed version is ready', () => {
  const version = { name: 'm', version: '3', reason: '' };
  assert.ok(repositoryIndexSchema.safeParse([{ ...version, state: 'READY' }]).success);
  assert.ok(!repositoryIndexSchema.safeParse([{ ...version, state: 'LOADING' }]).success);
});
