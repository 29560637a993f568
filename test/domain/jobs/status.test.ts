import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOB_STATUSES, type JobStatus, transition } from '../../../src/domain/jobs/status.ts';
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
