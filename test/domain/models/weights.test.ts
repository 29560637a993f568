import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weightsQuerySchema } from '../../../src/domain/models/weights.ts';

test('layers are counted from 1, which is drawn by default, and units from 0', () => {
  assert.deepEqual(weightsQuerySchema.parse({}), { layer: 1 });
  assert.deepEqual(weightsQuerySchema.parse({ layer: '2', unit: '0' }), { layer: 2, unit: 0 });
  for (const wrong of [{ layer: '0' }, { unit: '-1' }, { channel: '1' }]) {
    assert.equal(weightsQuerySchema.safeParse(wrong).success, false, JSON.stringify(wrong));
  }
});
