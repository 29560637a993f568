import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predictionQuerySchema } from '../../../src/protocols/native/schema.ts';

test('a query asks for 1 to 1,000 classes, a coverage below 1, and flags that are false by default', () => {
  const flags = { logits: false, input: false, calibrated: false, diagnose: false };
  assert.deepEqual(predictionQuerySchema.parse({}), flags);
  assert.deepEqual(predictionQuerySchema.parse({ topK: '1', coverage: '0.9', logits: 'true' }), {
    ...flags,
    topK: 1,
    coverage: 0.9,
    logits: true,
  });
  assert.equal(predictionQuerySchema.parse({ topK: '1000' }).topK, 1000);
  for (const wrong of [{ topK: '0' }, { topK: '1001' }, { coverage: '1' }, { logits: '1' }, { other: '1' }])
    assert.ok(!predictionQuerySchema.safeParse(wrong).success, JSON.stringify(wrong));
});
