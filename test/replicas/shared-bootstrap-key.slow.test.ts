import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { INHERITED, serviceAddress, startProcess } from '../support/start-process.ts';
import { temporaryDirectory } from '../support/start-service.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/key.ts');

test('replicas that start together print one key, and all accept it until it is replaced', {
  skip: withoutPostgres,
}, async (t) => {
  const environment = { DATABASE_URL: await temporaryDatabase(t) };
  const directory = await temporaryDirectory(t);
  const services = [1, 2, 3].map((n) =>
    startProcess(t, join(directory, String(n)), { HOST: '0.0.0.0', ...environment }),
  );
  const bases = await Promise.all(services.map(serviceAddress));
  const statuses = (key: string) =>
    Promise.all(
      bases.map(async (base) => {
        const headers = { authorization: `Bearer ${key}` };
        return (await fetch(`${base.replace('0.0.0.0', '127.0.0.1')}/v1/models`, { headers })).status;
      }),
    );
  const printed = services.flatMap(({ output }) => output().match(/^ {2}(atl_[\w-]{43})$/m)?.[1] ?? []);
  assert.equal(printed.length, 1);
  assert.deepEqual(await statuses(printed[0]!), [200, 200, 200]);

  const reset = await promisify(execFile)(process.execPath, [SCRIPT, '--reset'], {
    env: { ...INHERITED, ...environment },
  });
  while ((await statuses(reset.stdout.trim())).some((status) => status !== 200)) await wait(20);
  assert.deepEqual(await statuses(printed[0]!), [401, 401, 401]);
});
