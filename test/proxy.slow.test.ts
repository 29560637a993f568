import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { formatApiKey, generateKey, sha256Bytes } from '../src/domain/api-key.ts';
import type { TrainingJob } from '../src/domain/training-job.ts';
import { readBlocks } from './docs/pages.ts';
import { openStream } from './http/read-events.ts';
import { findProgram, PROXY, startNginx } from './nginx.ts';
import { endless, startService } from './start-service.ts';

const PASS = 'proxy_pass http://127.0.0.1:3000;';

const key = generateKey();
const authorization = `Bearer ${key}`;
const API_KEYS = formatApiKey({ name: 'ci', scopes: ['admin'], digest: sha256Bytes(key) });

const nginx = await findProgram('nginx', '/usr/sbin/nginx');
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

function configure(folder: string, location: string): string {
  const paths = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  return `pid ${folder}/nginx.pid; events {}
     http { access_log off; ${paths} server { listen ${PROXY}; ${location} } }`;
}

const [root, restarting, underPath] = readBlocks('docs/operations/proxy.md').filter(
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
    const { app, close } = await startService(t, { BASE_PATH, API_KEYS, ...settings });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const served = location.replace('127.0.0.1:3000', `127.0.0.1:${port}`);
    const proxy = await startNginx(t, nginx, (folder) => configure(folder, served + restarting!.text));
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

    await close();
    const headers = { accept: 'text/event-stream', 'last-event-id': '7' };
    const waiting = await call(`${job}/events`, { headers });
    assert.equal(waiting.headers.get('content-type'), 'text/event-stream');
    assert.deepEqual([waiting.status, await waiting.text()], [200, 'id: 7\nretry: 1000\n\n']);
    assert.equal((await call(job)).status, 502);
  });
}
