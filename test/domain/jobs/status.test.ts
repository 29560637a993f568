import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isActive,
  isEnded,
  JOB_STATUSES,
  type JobStatus,
  transition,
  UNFINISHED_STATUSES,
} from '../../../src/domain/jobs/status.ts';
import { AtelierError } from '../../../src/errors.ts';

const ALLOWED: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  queued: ['running', 'paused', 'cancelled'],
  running: ['pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'queued'],
  pausing: ['paused', 'cancelling', 'succeeded', 'failed'],
  paused: ['queued', 'cancelled'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

for (const from of JOB_STATUSES) {
  test(`a ${from} job becomes ${ALLOWED[from].join(', ') || 'nothing else'}`, () => {
    for (const to of JOB_STATUSES) {
      if (ALLOWED[from].includes(to)) assert.equal(transition(from, to), to);
      else {
        assert.throws(
          () => transition(from, to),
          (error) =>
            error instanceof AtelierError &&
            error.code === 'illegal-transition' &&
            error.message.includes(from) &&
            error.message.includes(to),
        );
      }
    }
  });
}

test('a thread works on an active job, and an ended job cannot become anything else', () => {
  const ended = ['succeeded', 'failed', 'cancelled'];
  assert.deepEqual(JOB_STATUSES.filter(isActive), ['running', 'pausing', 'cancelling']);
  assert.deepEqual(JOB_STATUSES.filter(isEnded), ended);
  assert.deepEqual([...UNFINISHED_STATUSES, ...ended], JOB_STATUSES);
  assert.throws(() => transition('paused', 'running'), {
    message: 'A paused job cannot become running. From paused it can become queued, cancelled.',
  });
  assert.throws(() => transition('failed', 'queued'), {
    message: 'A failed job cannot become queued. It has ended.',
  });
});
