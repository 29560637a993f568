/** Sessions over connections of the test, which are made and lost as it says, while time passes by its clock. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { openSession } from '../../../../src/store/postgres/replicas/session.ts';
import { mockWaits } from '../../../support/mocked-builtins.ts';
import { replaceClient, settle } from './replaced-client.ts';

async function open(t: TestContext) {
  mockWaits(t);
  const database = replaceClient(t);
  const messages: string[] = [];
  const log = {
    info: (_fields: object, message: string) => void messages.push(message),
    warn: (message: string) => void messages.push(message),
  };
  const session = await openSession('postgres://server/database', log);
  t.after(session.close);
  const pass = async (ms: number) => {
    t.mock.timers.tick(ms);
    await settle();
  };
  return { database, session, messages, pass };
}

test('a session sends one statement at a time, and hands on each notification', async (t) => {
  const { database, session } = await open(t);
  const replies: (() => void)[] = [];
  const sent: string[] = [];
  database.query = (text) => {
    sent.push(text);
    return new Promise((resolve) => replies.push(() => resolve([text.length])));
  };
  const both = Promise.all([session.query('one'), session.query('three')]);
  await settle();
  assert.deepEqual(sent, ['one']);
  replies[0]!();
  await settle();
  assert.deepEqual(sent, ['one', 'three']);
  replies[1]!();
  assert.deepEqual(await both, [[3], [5]]);
  const heard: string[] = [];
  session.onNotification((payload) => heard.push(payload));
  for (const payload of ['event job_1', undefined])
    database.connections[0]!.emit('notification', { payload });
  assert.deepEqual(heard, ['event job_1', '']);
});

test('an error of the database leaves the connection, and a missing reply ends it', async (t) => {
  const { database, session, messages, pass } = await open(t);
  let error: Error = new pg.DatabaseError('no such table', 13, 'error');
  const { query } = database;
  database.query = async () => {
    throw error;
  };
  await assert.rejects(session.query('select'), /no such table/);
  await settle();
  assert.equal(database.connections[0]!.ended, 0);
  error = new Error('Query read timeout');
  await assert.rejects(session.query('select'), /read timeout/);
  await settle();
  assert.equal(database.connections[0]!.ended, 1);
  assert.deepEqual(messages, ['the session with the database is lost: The connection has ended.']);
  await assert.rejects(session.query('select'), /session with the database is lost/);
  database.query = query;
  await pass(50);
  assert.deepEqual(await session.query('select $1', ['a']), [{ text: 'select $1', values: ['a'] }]);
});

test('a lost connection is opened again after 50 ms, then 100 ms and so on, up to half a second', async (t) => {
  const { database, session, messages, pass } = await open(t);
  let opened = 0;
  session.onReconnected(() => opened++);
  database.connect = async () => {
    throw new Error('the server is away');
  };
  database.connections[0]!.emit('error', new Error('reset'));
  database.connections[0]!.emit('end');
  let attempts = 1;
  for (const pause of [50, 100, 200, 400, 500, 500]) {
    await pass(pause - 1);
    assert.equal(database.connections.length, attempts);
    await pass(1);
    assert.equal(database.connections.length, ++attempts);
  }
  // An attempt that failed is not the connection that is lost.
  database.connections[1]!.emit('error', new Error('late'));
  database.connect = async () => {};
  await pass(1000);
  assert.equal(opened, 1);
  assert.deepEqual(messages, [
    'the session with the database is lost: reset',
    'the session with the database is open again',
  ]);
  const [first, last] = [database.connections[0]!, database.connections.at(-1)!];
  assert.deepEqual(last.settings, first.settings);
  last.emit('error', new Error('reset again'));
  await pass(50);
  assert.equal(opened, 2);
});

test('a session that is closed while it is lost makes no further attempt', async (t) => {
  const { database, session, messages, pass } = await open(t);
  database.connections[0]!.emit('error', new Error('reset'));
  await session.close();
  await pass(1000);
  assert.equal(database.connections.length, 1);
  assert.deepEqual(messages, ['the session with the database is lost: reset']);
});

test('a connection that is made after the session was closed is ended', async (t) => {
  const { database, session, messages, pass } = await open(t);
  const connected = Promise.withResolvers<void>();
  database.connect = () => connected.promise;
  database.connections[0]!.emit('error', new Error('reset'));
  await pass(50);
  await session.close();
  connected.resolve();
  await settle();
  assert.deepEqual([database.connections.length, database.connections[1]!.ended], [2, 1]);
  assert.equal(messages.length, 1);
});

test('closing a session waits for its last statement, and is no loss', async (t) => {
  const { database, session, messages, pass } = await open(t);
  const replied = Promise.withResolvers<void>();
  database.query = async () => {
    await replied.promise;
    return [];
  };
  const rows = session.query('select');
  const closed = session.close();
  await settle();
  assert.equal(database.connections[0]!.ended, 0);
  replied.resolve();
  await closed;
  assert.deepEqual([await rows, database.connections[0]!.ended], [[], 1]);
  await pass(1000);
  assert.deepEqual([database.connections.length, messages], [1, []]);
});
