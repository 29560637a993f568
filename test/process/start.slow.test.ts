import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { migrations } from '../../src/store/migrations/all.ts';
import { nextRelease } from '../support/next-release.ts';
import { type Process, requestJson, serviceAddress, startProcess } from '../support/start-process.ts';
import { addCleanup, temporaryDirectory } from '../support/start-service.ts';

/** A first start that would print a key and queue a job. */
const FIRST = { HOST: '0.0.0.0', STARTER_JOB: 'on' };
/** Takes seconds, in many statements. */
const SLOW_MIGRATION = `
  for (let n = 0; n < 30; n++) {
    await sql\`with recursive numbers (n) as (select 1 union all select n + 1 from numbers limit 500000)
      select count(*) from numbers\`.execute(db);
  }
  await db.schema.createTable('of_the_next_release').addColumn('id', 'text').execute();`;

async function usedPort(t: TestContext) {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const close = async () => void server.close();
  addCleanup(t, close);
  return { port: String((server.address() as AddressInfo).port), close };
}

async function assertFails(service: Process, reason: RegExp): Promise<void> {
  assert.deepEqual(await service.exited, [1, null]);
  assert.match(service.output(), reason);
  assert.doesNotMatch(service.output(), /atl_|starter job/);
}

test('a start that fails leaves nothing behind, and the next one prints the key', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const { port, close } = await usedPort(t);
  await assertFails(startProcess(t, stateDir, { ...FIRST, PORT: port }), /EADDRINUSE.*Another process uses/);
  assert.deepEqual(await readdir(stateDir), []);
  await assertFails(startProcess(t, stateDir, { ...FIRST, DATA_DIR: stateDir }), /npx atelier data/);
  assert.deepEqual(await readdir(stateDir), []);
  await close();
  const service = startProcess(t, stateDir, { ...FIRST, PORT: port });
  await serviceAddress(service);
  assert.match(
    service.output(),
    new RegExp(`atl_[^]*http://localhost:${port}/v1/models[^]*starter job queued`),
  );
});

test('a required volume that is missing stops the start before anything is written', async (t) => {
  const stateDir = '/no-such-volume/state';
  await assertFails(
    startProcess(t, stateDir, { ...FIRST, REQUIRE_VOLUME: 'true' }),
    /is not on a volume.*REQUIRE_VOLUME=false/,
  );
  assert.equal(existsSync('/no-such-volume'), false);
});

test('a start that finds the state locked prints no key and queues no job', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const base = await serviceAddress(startProcess(t, stateDir));
  await assertFails(startProcess(t, stateDir, FIRST), /in use by another Atelier process/);
  assert.deepEqual((await requestJson<{ data: object[] }>(`${base}/v1/training-jobs`)).data, []);
  assert.ok(!(await readdir(stateDir)).includes('api-key'));
});

test('during a migration requests get 503, and SIGTERM ends the process and undoes the migration', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const file = join(stateDir, 'atelier.sqlite');
  const main = join(await nextRelease(t, { migration: SLOW_MIGRATION }), 'main.ts');
  await writeLargeState(t, stateDir, file);
  const { port, close } = await usedPort(t);
  await close();
  const base = `http://127.0.0.1:${port}`;
  const stopped = startProcess(t, stateDir, { PORT: port }, [], main);
  while (!stopped.output().includes('migrating the database')) await once(stopped.child.stdout!, 'data');
  const refused = await fetch(`${base}/v1/models`);
  const { code } = (await refused.json()) as { code: string };
  assert.deepEqual([refused.status, code, refused.headers.get('retry-after')], [503, 'starting', '5']);
  assert.deepEqual(await requestJson(`${base}/health/live`), { live: true });
  assert.equal((await fetch(`${base}/health/ready`)).status, 503);
  stopped.child.kill('SIGTERM');
  assert.deepEqual(await stopped.exited, [0, null], stopped.output());
  assert.match(stopped.output(), /"msg":"stopped"\}$/);
  const raw = new DatabaseSync(file);
  assert.equal(raw.prepare('select * from kysely_migration').all().length, Object.keys(migrations).length);
  raw.close();

  const service = startProcess(t, stateDir, { PORT: port }, [], main);
  await serviceAddress(service);
  assert.match(service.output(), /"migration":"0007-next","durationMs":\d+,"msg":"migrated the database"/);
  assert.deepEqual((await requestJson<{ data: object[] }>(`${base}/v1/training-jobs`)).data, []);
});

/** A state whose database is checked and migrated in a thread. */
async function writeLargeState(t: TestContext, stateDir: string, file: string): Promise<void> {
  const service = startProcess(t, stateDir);
  await serviceAddress(service);
  service.child.kill('SIGTERM');
  await service.exited;
  const raw = new DatabaseSync(file);
  raw.prepare(`insert into models values ('large', ?, 0, 0)`).run('x'.repeat(9 * 2 ** 20));
  raw.close();
}
