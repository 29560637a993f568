import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobChangesSchema, prioritySchema } from '../../../src/domain/jobs/priority.ts';

test('a priority is a whole number from -10 to 10', () => {
  for (const priority of [-10, 0, 10]) assert.equal(prioritySchema.parse(priority), priority);
  for (const priority of [-11, 0.5, 11, '1', null]) {
    assert.equal(prioritySchema.safeParse(priority).success, false, `${priority}`);
  }
});

test('a change of a job is its priority and nothing else', () => {
  assert.deepEqual(jobChangesSchema.parse({ priority: 3 }), { priority: 3 });
  for (const changes of [{}, { priority: 3, modelName: 'other' }]) {
    assert.equal(jobChangesSchema.safeParse(changes).success, false);
  }
});
