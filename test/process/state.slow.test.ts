import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { readConfig } from '../../src/config/read.ts';
import { openState } from '../../src/process/state.ts';
import { execute, temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { addCleanup, temporaryDirectory } from '../support/start-service.ts';

const log = pino({ level: 'silent' });

test('a start that fails after the queue was opened leaves no timer, connection or lock', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await temporaryDatabase(t);
  const config = readConfig({ DATABASE_URL: url, STATE_DIR: await temporaryDirectory(t) });
  const open = () => openState(config, 2 ** 30, log);
  const { store, cluster } = await open();
  await cluster!.boss.close();
  await store.close();
  await execute(url, `insert into atelier.transfers (source, started_at) values ('another state', '2026')`);
  const count = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'TCPSocketWrap').length;
  const before = count();
  await assert.rejects(open, { code: 'state-unusable', message: /transfer/ });
  // The sockets have been closed, and disappear when the system has closed them.
  for (let turns = 0; turns < 500 && count() > before; turns++) await wait(10);
  // Fewer, if what the first start had closed disappeared only now.
  assert.ok(count() <= before, `${count()} instead of ${before}`);
  await execute(url, 'delete from atelier.transfers');
  const again = await open();
  await again.cluster!.boss.close();
  await again.store.close();
});

test('names the missing privilege if the schema of the queue cannot be created', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await temporaryDatabase(t);
  const name = url.slice(url.lastIndexOf('/') + 1);
  await execute(url, `create role "${name}" login`, `create schema atelier authorization "${name}"`);
  addCleanup(t, () => execute(url, `drop owned by "${name}"`, `drop role "${name}"`));
  const restricted = new URL(url);
  restricted.username = name;
  const config = readConfig({ DATABASE_URL: restricted.href, STATE_DIR: await temporaryDirectory(t) });
  await assert.rejects(openState(config, 2 ** 30, log), { code: 'state-unusable', message: /atelier_boss/ });
});
