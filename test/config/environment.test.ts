import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentSchema } from '../../src/config/environment.ts';

const LIMITS = {
  PORT: [0, 65_535],
  TRAINING_WORKERS: [1, 256],
  QUEUE_LIMIT: [1, 100_000],
  MAX_BODY_BYTES: [1024, 2 ** 30],
  MAX_IMAGE_PIXELS: [784, 100_000_000],
  MAX_DATASET_BYTES: [1024, 4095 * 2 ** 20],
  RATE_LIMIT_PER_MINUTE: [1, 1_000_000],
  MAX_EVENT_LOOP_DELAY_MS: [1, 60_000],
  SHUTDOWN_GRACE_SECONDS: [1, 3600],
  KEEP_EVENTS_DAYS: [1, 36_500],
  KEEP_CHECKPOINTS_DAYS: [1, 36_500],
  KEEP_JOBS_DAYS: [1, 36_500],
  POOL_SIZE: [1, 100],
} as const;

for (const [name, [min, max]] of Object.entries(LIMITS)) {
  test(`${name} is an integer from ${min} to ${max}`, () => {
    const schema = environmentSchema.shape[name as keyof typeof LIMITS];
    for (const value of [min, max]) assert.equal(schema.parse(`${value}`), value);
    for (const value of [min - 1, max + 1, min + 0.5, 'x'])
      assert.deepEqual(
        schema.safeParse(`${value}`).error?.issues.map(({ message }) => message),
        [`must be an integer from ${min} to ${max}`],
        `${value}`,
      );
  });
}

test('ACCESS_LOG has at most nine decimals', () => {
  const schema = environmentSchema.shape.ACCESS_LOG;
  for (const value of ['all', 'errors', 'off', 'sample:0.123456789'])
    assert.equal(schema.parse(value), value);
  for (const value of ['sample:0.1234567890', 'sample:1', 'sample:', 'alle'])
    assert.ok(!schema.safeParse(value).success, value);
});
