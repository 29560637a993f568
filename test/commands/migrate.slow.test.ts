import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ACTIVE_JOBS } from '../../scripts/kubernetes/worker.ts';
import { migrations } from '../../src/store/postgres/migrations/all.ts';
import { execute, temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { INHERITED } from '../support/start-process.ts';

const MIGRATE = join(import.meta.dirname, '../../src/commands/migrate.ts');

const migrate = (env: Record<string, string>) =>
  promisify(execFile)(process.execPath, [MIGRATE], { env: { ...INHERITED, ...env } });

test('npm run migrate creates the tables once, even if two processes run it at the same time', {
  skip: withoutPostgres,
}, async (t) => {
  const environment = { DATABASE_URL: await temporaryDatabase(t) };
  const runs = await Promise.all([migrate(environment), migrate(environment)]);
  runs.push(await migrate(environment));
  const migrated = runs.map(({ stdout }) => stdout.match(/"migration":"[^"]+/g) ?? []);
  const each = Object.keys(migrations).map((name) => `"migration":"${name}`);
  assert.deepEqual(migrated.flat(), each, 'each migration is run once');
  assert.deepEqual(migrated[2], []);
  for (const { stdout } of runs) assert.match(stdout, /has the schema of this release/);
  // The query of the autoscaler.
  await execute(environment.DATABASE_URL, ACTIVE_JOBS);
});

test('npm run migrate names what is missing, without passwords', async () => {
  await assert.rejects(migrate({}), /Set DATABASE_URL/);
  const unreachable = { DATABASE_URL: 'postgresql://u:hunter2@127.0.0.1:1/atelier' };
  await assert.rejects(
    migrate(unreachable),
    ({ stderr, code }: { stderr: string; code: number }) =>
      code === 1 && stderr.trim().split('\n').length === 1 && !stderr.includes('hunter2'),
  );
});
