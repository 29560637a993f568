import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeState, stateTag } from '../../../src/http/responses/stored-state.ts';

test('the tag of a stored job changes with any of its values', () => {
  const job = { id: 'job_1', status: 'queued' };
  assert.equal(stateTag(job), stateTag({ ...job }));
  assert.notEqual(stateTag(job), stateTag({ ...job, status: 'running' }));
  assert.match(stateTag(job), /^"[^"]+"$/);
});

test('an error about a change names what has changed', () => {
  const search = { id: 'sch_1', status: 'paused' };
  assert.deepEqual(describeState('search')(search), {
    tag: stateTag(search),
    description: 'the search sch_1 has changed',
  });
});
