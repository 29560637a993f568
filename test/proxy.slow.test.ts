import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { downloadDebianPackage } from '../scripts/data/debian-package.ts';
import { formatApiKey, generateKey, sha256Bytes } from '../src/domain/api-key.ts';
import type { TrainingJob } from '../src/domain/training-job.ts';
import { readBlocks } from './docs/pages.ts';
import { openStream } from './http/read-events.ts';
import { addCleanup, endless, startService, temporaryDirectory } from './start-service.ts';

/** An address of its own for each process, so that tests do not compete for a port. */
const PROXY = `127.${(process.pid >> 16) & 255}.${(process.pid >> 8) & 255}.${process.pid & 255}:18080`;
const SYSTEM_NGINX = '/usr/sbin/nginx';
const PASS = 'proxy_pass http://127.0.0.1:3000;';

const key = generateKey();
const authorization = `Bearer ${key}`;
const API_KEYS = formatApiKey({ name: 'ci', scopes: ['admin'], digest: sha256Bytes(key) });

/** nginx of the system, or of Debian's package, which is unpacked but not installed. */
async function findNginx(): Promise<string> {
  if (existsSync(SYSTEM_NGINX)) return SYSTEM_NGINX;
  const context = { say: () => {}, signal: AbortSignal.timeout(300_000) };
  return join(
    await downloadDebianPackage('nginx', await temporaryDirectory({ after }), context),
    SYSTEM_NGINX,
  );
}

const nginx = await findNginx();

/** Starts nginx with a location as documented, and resolves when it serves. */
async function startNginx(t: TestContext, location: string): Promise<string> {
  const folder = await temporaryDirectory(t);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${name};`,
  );
  await mkdir(join(folder, 'logs'));
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid nginx.pid; events {}
     http { access_log off; ${paths.join(' ')} server { listen ${PROXY}; ${location} } }`,
  );
  const child = spawn(nginx, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (bytes) => (output += bytes));
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()));
  addCleanup(t, async () => {
    child.kill();
    await exited;
  });
  const base = `http://${PROXY}`;
  while (
    !(await fetch(base).then(
      () => true,
      () => false,
    ))
  ) {
    assert.equal(child.exitCode, null, output);
    await wait(20);
  }
  return base;
}

const [root, underPath] = readBlocks('docs/operations/proxy.md').filter(
  ({ language }) => language === 'nginx',
);
/** The documented directives but the first, which passes the request on. */
const shared = root!.text
  .split('\n')
  .slice(1, -1)
  .filter((line) => !line.includes(PASS))
  .join('\n');
const passing = underPath!.text.replace(/ *#.*/g, '').replace('}', `${shared}\n}`);

const LOCATIONS = {
  'the whole host': { BASE_PATH: '', location: root!.text },
  'a path, passed on': { BASE_PATH: '/atelier', location: passing },
  'a path, stripped': { BASE_PATH: '/atelier', location: passing.replace(PASS, PASS.replace(';', '/;')) },
};

for (const [name, { BASE_PATH, location }] of Object.entries(LOCATIONS)) {
  test(`behind nginx as documented, for ${name}: links, documentation, large bodies and events`, async (t) => {
    // A busy machine must not reject the job.
    const settings = { TRUST_PROXY: '127.0.0.1', MAX_EVENT_LOOP_DELAY_MS: '60000' };
    const { app } = await startService(t, { BASE_PATH, API_KEYS, ...settings });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const proxy = await startNginx(t, location.replace('127.0.0.1:3000', `127.0.0.1:${port}`));
    const call = (path: string, init: RequestInit = {}) =>
      fetch(proxy + path, { ...init, headers: { authorization, ...init.headers } });
    const post = (path: string, type: string, body: string | Uint8Array<ArrayBuffer>) =>
      call(path, { method: 'POST', body, headers: { 'content-type': type } });

    assert.equal((await fetch(`${proxy}${BASE_PATH}/health/ready`)).status, 200);
    const rejected = await fetch(`${proxy}${BASE_PATH}/v1/models?limit=2`);
    assert.equal(rejected.status, 401);
    assert.equal(
      ((await rejected.json()) as { instance: string }).instance,
      `${BASE_PATH}/v1/models?limit=2`,
    );

    const page = await (await call(`${BASE_PATH}/docs`)).text();
    const assets = Array.from(page.matchAll(/(?:href|src)="([^"]+)"/g), ([, path]) => path!);
    assert.ok(assets.length > 4);
    for (const asset of assets) assert.equal((await call(asset)).status, 200, asset);

    const images = new Uint8Array(30 * 2 ** 20);
    const url = `${BASE_PATH}/v1/models/none/predictions`;
    assert.equal((await post(url, 'application/octet-stream', images)).status, 404);

    const created = await post(`${BASE_PATH}/v1/training-jobs`, 'application/json', JSON.stringify(endless));
    assert.equal(created.status, 202, await created.text());
    const job = created.headers.get('location')!;
    assert.ok(job.startsWith(`${BASE_PATH}/v1/training-jobs/job_`), job);
    assert.equal((await call(job)).status, 200);
    // The job does not end by itself, so a buffered stream would stay silent.
    const stream = await openStream(`${proxy}${job}/events`, { authorization });
    for await (const event of stream.events()) if (event.type === 'epoch') break;
    const cancelled = await call(`${job}/cancel`, { method: 'POST' });
    assert.equal(((await cancelled.json()) as TrainingJob).id, job.split('/').at(-1));
  });
}
