import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AtelierError, type ErrorCode } from '../../../src/errors.ts';
import { createRetryUntilStored, type RetryOptions } from '../../../src/services/runs/retry-until-stored.ts';
import { createWaits } from '../../../src/services/runs/waits.ts';
import { failure } from '../../store/fixtures.ts';

const EMFILE = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
const errorOf = (code: ErrorCode) => new AtelierError(code, `It is ${code}.`);

/** Records all calls in order. Attempt n of a write fails with `errors[n]`, if any. */
function setUp(errors: readonly (Error | undefined)[], options: Partial<RetryOptions> = {}) {
  const calls: unknown[] = [];
  const waits = createWaits('storage');
  const log = {
    info: () => assert.fail('nothing to report'),
    warn: () => assert.fail('nothing to warn of'),
    error: (details: object, message: string) => void calls.push(['log', details, message]),
  };
  async function withReserve<T>(work: () => Promise<T>): Promise<T> {
    calls.push('reserve');
    return work();
  }
  let attempts = 0;
  const write = async () => {
    calls.push(`write, ${waits.count()} waiting`);
    const error = errors[attempts++];
    if (error !== undefined) throw error;
    return 'stored';
  };
  const run = {
    job: { id: 'job_1' },
    recordWaiting: async (...event: readonly unknown[]) => void calls.push(event),
  };
  const retryUntilStored = createRetryUntilStored({ withReserve }, waits, log);
  const closing = new AbortController();
  const store = (changes: object = {}) =>
    retryUntilStored({ ...run, ...changes }, write, { closing: closing.signal, ...options });
  return { calls, waits, closing, store };
}

const logged = (err: Error) => [
  'log',
  { jobId: 'job_1', err },
  'failed to store the state of a job, retrying',
];

const OUTAGES = [
  [
    errorOf('storage-full'),
    'storage-full',
    'the disk is full',
    'The disk was full: the progress of the job could not be stored',
  ],
  [
    errorOf('storage-unavailable'),
    'storage-unavailable',
    'the database or the object store is unreachable',
    'The database or the object store was unreachable',
  ],
  [
    EMFILE,
    'too-many-open-files',
    'the process cannot open more files (ulimit -n)',
    'The process could not open more files',
  ],
] as const;

// Each attempt follows the one before after a second.
describe('a write of a run', { concurrency: true }, () => {
  test('a write that succeeds records nothing', async () => {
    const { calls, store } = setUp([]);
    assert.equal(await store(), 'stored');
    assert.deepEqual(calls, ['write, 0 waiting']);
  });

  test('an outage is recorded before the write that succeeds, and its end after it', async () => {
    await Promise.all(
      OUTAGES.map(async ([error, code, reason, ended]) => {
        const startedAt = Date.now();
        const { calls, waits, store } = setUp([error]);
        assert.equal(await store(), 'stored');
        assert.equal(waits.count(), 0);
        const [, { since }] = calls[2] as [string, { since: string }];
        assert.ok(Date.parse(since) >= startedAt && Date.parse(since) <= Date.now() - 900, since);
        const message = `The job is waiting for storage: ${reason}. It continues automatically, and nothing is lost.`;
        const seconds = /(\d+) s\. Nothing was lost\.$/.exec(
          (calls.at(-1) as [null, { message: string }])[1].message,
        )?.[1];
        assert.ok(Number(seconds) >= 1 && Number(seconds) <= Math.ceil((Date.now() - startedAt) / 1000));
        assert.deepEqual(calls, [
          'write, 0 waiting',
          logged(error),
          ['storage', { code, message, since }],
          'write, 1 waiting',
          [null, { code, message: `${ended} for ${seconds} s. Nothing was lost.` }],
        ]);
      }),
    );
  });

  test('a job without events is only repeated', async () => {
    const error = errorOf('storage-full');
    const { calls, store } = setUp([error]);
    assert.equal(await store({ recordWaiting: undefined }), 'stored');
    assert.deepEqual(calls, ['write, 0 waiting', logged(error), 'write, 1 waiting']);
  });

  test('a write whose first attempt may have succeeded may find the job in its new status', async () => {
    const { calls, store } = setUp([errorOf('storage-unavailable'), errorOf('illegal-transition')]);
    assert.equal(await store(), undefined);
    assert.equal(calls.filter((call) => String(call).startsWith('write')).length, 2);
    for (const errors of [['illegal-transition'], ['storage-full', 'illegal-transition']] as const) {
      await assert.rejects(setUp(errors.map(errorOf)).store(), failure('illegal-transition'));
    }
  });

  test('other errors are not repeated, unless the caller demands it', async () => {
    const { calls, store } = setUp([errorOf('lease-lost')]);
    await assert.rejects(store(), failure('lease-lost'));
    assert.deepEqual(calls, ['write, 0 waiting']);
    const again = setUp([errorOf('lease-lost')], { isTransient: () => true });
    assert.equal(await again.store(), 'stored');
    // Without an outage the job is not waiting for storage.
    assert.deepEqual(again.calls, ['write, 0 waiting', logged(errorOf('lease-lost')), 'write, 0 waiting']);
  });

  test('a stopping run uses the reserve of the disk, and a closing service does not wait', async () => {
    const stopping = new AbortController();
    const { calls, closing, store } = setUp([errorOf('storage-full')], { stopping: stopping.signal });
    stopping.abort();
    closing.abort();
    await assert.rejects(store(), failure('storage-full'));
    assert.deepEqual(calls, ['reserve', 'write, 0 waiting']);
  });

  test('the end of an outage need not be recorded while the service is closing', async () => {
    for (const isClosing of [true, false]) {
      const { closing, store } = setUp([errorOf('storage-full')]);
      const recordWaiting = async (resource: string | null) => {
        if (resource !== null) return;
        if (isClosing) closing.abort();
        throw errorOf('lease-lost');
      };
      const storing = store({ recordWaiting });
      if (isClosing) assert.equal(await storing, 'stored');
      else await assert.rejects(storing, failure('lease-lost'));
    }
  });
});
