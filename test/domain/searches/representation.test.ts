import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertChangeable,
  type SearchChange,
  type SearchStatus,
  searchEventSchema,
  trialSchema,
} from '../../../src/domain/searches/representation.ts';

test('a search can be changed only in the statuses that the change applies to', () => {
  const statuses = [
    'running',
    'pausing',
    'paused',
    'cancelling',
    'succeeded',
    'failed',
    'cancelled',
  ] as const;
  const allowed: Readonly<Record<SearchChange, readonly SearchStatus[]>> = {
    pause: ['running'],
    resume: ['paused'],
    cancel: ['running', 'pausing', 'paused'],
    finish: ['running'],
  };
  for (const [change, from] of Object.entries(allowed) as [SearchChange, SearchStatus[]][]) {
    const possible = statuses.filter((status) => {
      try {
        assertChangeable('sea_1', status, change);
        return true;
      } catch {
        return false;
      }
    });
    assert.deepEqual(possible, from, change);
  }
  assert.throws(() => assertChangeable('sea_1', 'failed', 'cancel'), {
    code: 'illegal-transition',
    message: 'Search sea_1 is failed. Only running, pausing or paused searches can be cancelled.',
  });
});

test('events and trials are numbered from 1', () => {
  const event = { type: 'status', at: '', data: {} };
  assert.deepEqual(
    [0, 1].map((id) => searchEventSchema.safeParse({ ...event, id }).success),
    [false, true],
  );
  const { trial } = trialSchema.shape;
  assert.deepEqual(
    [0, 1].map((number) => trial.safeParse(number).success),
    [false, true],
  );
});
