import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { AtelierError, type ErrorCode } from '../../../src/errors.ts';
import { createMemoryLedger, MEBIBYTE, memoryLimit } from '../../../src/services/memory/ledger.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';

/** A budget of 800 MiB: jobs take at most 600, and requests at most 200 while a job is waiting. */
const createLedger = () => createMemoryLedger({ limit: 1000 * MEBIBYTE, base: 200 * MEBIBYTE });
const mib = (count: number) => count * MEBIBYTE;
const withCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof AtelierError && error.code === code;

test('rejects a request if too little memory is free, and admits it once there is enough', () => {
  const ledger = createLedger();
  const first = ledger.reserve(mib(500), { what: 'A check' });
  assert.throws(() => ledger.reserve(mib(400), { what: 'An upload' }), withCode('overloaded'));
  first.release();
  first.release();
  using _second = ledger.reserve(mib(800), { what: 'An upload' });
  assert.equal(ledger.used(), mib(800));
});

test('rejects a request that can never fit as impossible, with the sizes', () => {
  const details = [{ pointer: '#/network/hidden', detail: 'requires too much memory' }];
  assert.throws(
    () => createLedger().reserve(mib(801), { what: 'The check', advice: 'Use a smaller network.', details }),
    (error) => {
      assert.ok(withCode('impossible-request')(error));
      assert.match(
        (error as AtelierError).message,
        /The check takes about 801 MiB.* at most 800 MiB are available\. Use a smaller network\.$/,
      );
      assert.deepEqual((error as AtelierError).details, details);
      return true;
    },
  );
});

test('jobs leave a minimum to requests', () => {
  const ledger = createLedger();
  assert.ok(ledger.reserveForJob(mib(600)));
  assert.equal(ledger.reserveForJob(mib(1)), null);
  using _request = ledger.reserve(mib(200), { what: 'A check' });
});

test('while a job is waiting, requests get only their minimum', () => {
  const ledger = createLedger();
  const request = ledger.reserve(mib(400), { what: 'A check' });
  assert.equal(ledger.reserveForJob(mib(500)), null);
  assert.throws(() => ledger.reserve(mib(10), { what: 'A check' }), withCode('overloaded'));
  request.release();
  using _small = ledger.reserve(mib(200), { what: 'A check' });
  assert.ok(ledger.reserveForJob(mib(500)));
});

test('reports freed memory only while a job is waiting', () => {
  const ledger = createLedger();
  let reports = 0;
  ledger.onFreed(() => reports++);
  ledger.reserve(mib(1), { what: 'A check' }).release();
  assert.equal(reports, 0);
  const job = ledger.reserveForJob(mib(600));
  assert.equal(ledger.reserveForJob(mib(100)), null);
  job?.release();
  assert.equal(reports, 1);
  ledger.stopWaiting();
  ledger.reserve(mib(800), { what: 'A check' }).release();
  assert.equal(reports, 1);
});

test('reservations evict cached memory that is not in use', () => {
  const ledger = createLedger();
  let cached = mib(300);
  const inUse = mib(100);
  ledger.addCache({
    bytes: () => cached,
    evict: (bytes) => {
      cached = Math.max(inUse, cached - bytes);
    },
  });
  ledger.reserve(mib(600), { what: 'A check' }).release();
  assert.equal(cached, mib(200));
  assert.throws(() => ledger.reserve(mib(701), { what: 'A check' }), withCode('overloaded'));
  assert.equal(ledger.used(), inUse);
});

test('a container smaller than the service still has a budget', () => {
  assert.ok(createMemoryLedger({ limit: mib(128) }).jobBudget >= mib(60));
});

test('the memory is that of the container, and without a limit that of the machine', (t) => {
  let limit = 0;
  t.mock.method(os, 'totalmem', () => mib(900));
  t.mock.method(process, 'constrainedMemory', () => limit);
  applyMocks(t);
  const limits = [0, mib(500), 2 ** 64].map((each) => {
    limit = each;
    return memoryLimit();
  });
  assert.deepEqual(limits, [mib(900), mib(500), mib(900)]);
  limit = mib(500);
  assert.equal(createMemoryLedger({ base: 0 }).budget, mib(500));
});

test('a job fits up to the memory that all jobs can reserve together', () => {
  const ledger = createLedger();
  ledger.assertJobFits(mib(600), { what: 'Training' });
  assert.throws(
    () => ledger.assertJobFits(mib(600) + 1, { what: 'Training' }),
    withCode('impossible-request'),
  );
});
