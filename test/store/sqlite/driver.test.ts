import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { CompiledQuery } from 'kysely';
import { createSemaphore } from '../../../src/concurrency/semaphore.ts';
import { createDriver } from '../../../src/store/sqlite/driver.ts';

/** A driver of a database in memory, whose hooks are logged; `state.refused` is the hook that throws. */
function openDriver(t: TestContext) {
  const raw = new DatabaseSync(':memory:');
  raw.exec('create table numbers (n integer)');
  t.after(() => raw.isOpen && raw.close());
  const log: string[] = [];
  const state = { refused: '' };
  const call = (hook: string) => {
    log.push(hook);
    if (hook === state.refused) throw new Error(`${hook} refuses`);
  };
  const driver = createDriver(
    raw,
    {
      beforeCommit: () => call('beforeCommit'),
      onCommit: () => call('onCommit'),
      assertUsable: () => call('assertUsable'),
      durable: async () => call('durable'),
      close: async () => call('close'),
    },
    createSemaphore(1),
  );
  const count = () => raw.prepare('select count(*) as n from numbers').get()!['n'];
  /** The hooks that were called since the last call. */
  const called = () => log.splice(0);
  return { driver, raw, state, count, called };
}

const INSERT = CompiledQuery.raw('insert into numbers values (?)', [7]);
const SELECT = CompiledQuery.raw('select n from numbers');

test('a statement is a transaction, and its user waits until it is durable', async (t) => {
  const { driver, called } = openDriver(t);
  const session = await driver.acquireConnection();
  const inserted = await session.executeQuery(INSERT);
  assert.equal(inserted.numAffectedRows, 1n);
  assert.deepEqual(called(), ['assertUsable', 'onCommit']);
  const { rows } = await session.executeQuery(SELECT);
  assert.deepEqual(
    rows.map((row) => ({ ...(row as object) })),
    [{ n: 7 }],
  );
  assert.deepEqual(called(), ['assertUsable'], 'a read commits nothing');
  await driver.releaseConnection(session);
  assert.deepEqual(called(), ['durable']);
});

test('a connection that must not be used any more runs no statement', async (t) => {
  const { driver, state, count } = openDriver(t);
  state.refused = 'assertUsable';
  const session = await driver.acquireConnection();
  await assert.rejects(session.executeQuery(INSERT), /assertUsable refuses/);
  await assert.rejects(driver.beginTransaction(session, {}), /assertUsable refuses/);
  await driver.releaseConnection(session);
  assert.equal(count(), 0);
});

test('a transaction takes one turn, and is rolled back if its commit is refused', async (t) => {
  const { driver, raw, state, count, called } = openDriver(t);
  const [writer, reader] = [await driver.acquireConnection(), await driver.acquireConnection()];
  await driver.beginTransaction(writer, {});
  await writer.executeQuery(INSERT);
  const read = reader.executeQuery(SELECT);
  assert.deepEqual(called(), ['assertUsable']);
  state.refused = 'beforeCommit';
  await assert.rejects(driver.commitTransaction(writer), /beforeCommit refuses/);
  assert.equal(raw.isTransaction, true);
  await driver.rollbackTransaction(writer);
  await driver.rollbackTransaction(writer);
  await driver.releaseConnection(writer);
  assert.deepEqual((await read).rows, []);
  assert.equal(count(), 0);
  assert.throws(() => reader.streamQuery(SELECT, 1), /read in pages/);

  state.refused = '';
  await driver.beginTransaction(writer, {});
  await writer.executeQuery(INSERT);
  called();
  await driver.commitTransaction(writer);
  assert.deepEqual(called(), ['beforeCommit', 'onCommit']);
  await driver.releaseConnection(writer);
  assert.equal(count(), 1);
});

test('a driver that ends waits for the current transaction, and closes the database', async (t) => {
  const { driver, raw, state, called } = openDriver(t);
  const session = await driver.acquireConnection();
  await driver.beginTransaction(session, {});
  const ended = driver.destroy();
  await driver.commitTransaction(session);
  await driver.releaseConnection(session);
  called();
  // Its users get the error.
  state.refused = 'durable';
  await ended;
  assert.deepEqual(called(), ['durable', 'close']);
  assert.equal(raw.isOpen, false);
});
