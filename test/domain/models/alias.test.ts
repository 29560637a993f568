import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aliasMoveSchema, aliasSchema } from '../../../src/domain/models/alias.ts';

test('versions and moves of an alias are counted from 1, and a deleted alias has no version', () => {
  const alias = { alias: 'best', movedAt: '', movedBy: 'service' };
  assert.deepEqual(
    [0, 1].map((version) => aliasSchema.safeParse({ ...alias, version }).success),
    [false, true],
  );
  const move = { alias: 'best', version: null, previousVersion: 1, at: '', caller: 'a', promotion: null };
  assert.deepEqual(
    [0, 1].map((id) => aliasMoveSchema.safeParse({ ...move, id }).success),
    [false, true],
  );
});
