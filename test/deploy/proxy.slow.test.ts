import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { formatApiKey, generateKey, sha256Bytes } from '../../src/domain/api-key.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { digits } from '../datasets/upload/fixtures.ts';
import { readBlocks } from '../docs/pages.ts';
import { openStream } from '../http/read-events.ts';
import { findProgram, PROXY, startCaddy, startNginx } from '../support/servers/proxies.ts';
import { LOOPBACK } from '../support/servers/start-server.ts';
import { endless, type Scope, startService, temporaryDirectory } from '../support/start-service.ts';

const PASS = 'proxy_pass http://127.0.0.1:3000;';

const key = generateKey();
const authorization = `Bearer ${key}`;
const API_KEYS = formatApiKey({ name: 'ci', scopes: ['admin'], digest: sha256Bytes(key) });

const nginx = await findProgram('nginx', '/usr/sbin/nginx');
const caddy = await findProgram('caddy', '/usr/bin/caddy');
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** @param servers the documented servers or locations, which listen on PROXY and write to the folder only */
function configure(folder: string, servers: string): string {
  const paths = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  return `pid ${folder}/nginx.pid; events {} http { access_log off; ${paths} ${servers} }`;
}

const documented = (wanted: string) =>
  readBlocks('docs/operations/proxy.md').flatMap(({ language, text }) => (language === wanted ? [text] : []));
const [root, restarting, servers, underPath] = documented('nginx');
const [site, siteUnderPath] = documented('caddyfile');

/** The documented location without its first directive, which passes the request on. */
const shared = root!.trim().split('\n').slice(2, -1).join('\n');
const passing = underPath!.replace(/ *#.*/g, '').replace('}', `${shared}\n}`);
const inServer = (location: string) => `server { listen ${PROXY}; ${location} ${restarting} }`;

const HANDLE = / *handle \/atelier\/\* \{.*\n *# (handle_path \/atelier\/\* \{).*/;
const errors = site!.slice(site!.indexOf('handle_errors'), -1);
const passed = siteUnderPath!.replace('# and handle_errors as above', errors);
assert.match(passed, HANDLE);
const onProxy = (text: string) => text.replace('atelier.example', `http://${PROXY}`);

/** How a proxy is started in front of the service, which listens on the port. */
type StartProxy = (t: Scope, port: number) => Promise<string>;
const throughNginx =
  (location: string): StartProxy =>
  (t, port) =>
    startNginx(t, nginx, (folder) => configure(folder, withPort(inServer(location), port)));
const throughCaddy =
  (text: string): StartProxy =>
  async (t, port) =>
    (await startCaddy(t, caddy, withPort(onProxy(text), port))).base;
const withPort = (text: string, port: number) => text.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`);

const PROXIES: Readonly<Record<string, { BASE_PATH: string; start: StartProxy }>> = {
  'nginx, for the whole host': { BASE_PATH: '', start: throughNginx(root!) },
  'nginx, for a path, passed on': { BASE_PATH: '/atelier', start: throughNginx(passing) },
  'nginx, for a path, stripped': {
    BASE_PATH: '/atelier',
    start: throughNginx(passing.replace(PASS, PASS.replace(';', '/;'))),
  },
  'Caddy, for the whole host': { BASE_PATH: '', start: throughCaddy(site!) },
  'Caddy, for a path, passed on': { BASE_PATH: '/atelier', start: throughCaddy(passed) },
  'Caddy, for a path, stripped': {
    BASE_PATH: '/atelier',
    start: throughCaddy(passed.replace(HANDLE, '$1')),
  },
};

for (const [name, { BASE_PATH, start }] of Object.entries(PROXIES)) {
  test(`behind ${name}, as documented: keys, links, documentation, uploads, large bodies and events`, async (t) => {
    // A busy machine must not reject the job.
    const settings = { TRUST_PROXY: '127.0.0.1', MAX_EVENT_LOOP_DELAY_MS: '60000' };
    const { app, close } = await startService(t, { BASE_PATH, API_KEYS, ...settings });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const proxy = await start(t, port);
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

    assert.equal((await call(`${BASE_PATH}/v1/models?limit=2`)).status, 200);

    const page = await (await call(`${BASE_PATH}/docs`)).text();
    const assets = Array.from(page.matchAll(/(?:href|src)="([^"]+)"/g), ([, path]) => path!);
    assert.ok(assets.length > 4);
    for (const asset of assets) assert.equal((await call(asset)).status, 200, asset);

    const form = new FormData();
    form.append('name', 'digits');
    form.append('file', new Blob([digits]), 'digits.npz');
    const uploaded = await call(`${BASE_PATH}/v1/datasets`, { method: 'POST', body: form });
    assert.equal(uploaded.status, 201, await uploaded.text());
    const images = new Uint8Array(30 * 2 ** 20);
    const url = `${BASE_PATH}/v1/models/none/predictions`;
    assert.equal((await post(url, 'application/octet-stream', images)).status, 404);
    for (const path of ['/v1/datasets', '/v1/prediction-jobs']) {
      const large = new FormData();
      large.append(path === '/v1/datasets' ? 'name' : 'model', 'none');
      large.append('file', new Blob([new Uint8Array(65 * 2 ** 20)]), 'large.npz');
      assert.equal((await call(BASE_PATH + path, { method: 'POST', body: large })).status, 422, path);
    }

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
    assert.deepEqual([waiting.status, await waiting.text()], [200, 'retry: 1000\n']);
    assert.equal((await call(job)).status, 502);
  });
}

const TLS_PORT = 18443;

/** Requests a path by HTTP/2 over TLS. @returns the status */
async function statusOverTls(path: string, ca: Buffer): Promise<number> {
  const session = connect(`https://${LOOPBACK}:${TLS_PORT}`, { ca, servername: 'localhost' });
  try {
    await once(session, 'connect');
    const request = session.request({ ':path': path, ':authority': `localhost:${TLS_PORT}` });
    const [headers] = await once(request.end().resume(), 'response');
    return headers[':status'];
  } finally {
    session.destroy();
  }
}

test('nginx serves the documented server with TLS and HTTP/2, and redirects to it', async (t) => {
  const certificate = await temporaryDirectory(t);
  const [pem, keyFile] = [join(certificate, 'pem'), join(certificate, 'key')];
  const self = ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', pem];
  await promisify(execFile)('openssl', [...self, ...names]);
  const { app } = await startService(t, { API_KEYS, TRUST_PROXY: '127.0.0.1' });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const served = servers!
    .replace('listen 443', `listen ${LOOPBACK}:${TLS_PORT}`)
    .replace('listen 80', `listen ${PROXY}`)
    .replaceAll('atelier.example;', 'localhost;')
    .replace('/etc/ssl/atelier.example.pem', pem)
    .replace('/etc/ssl/private/atelier.example.key', keyFile)
    .replace('# the two locations', withPort(root! + restarting!, port));
  const proxy = await startNginx(t, nginx, (folder) => configure(folder, served));
  const ca = await readFile(pem);
  assert.equal(await statusOverTls('/health/ready', ca), 200);
  assert.equal(await statusOverTls('/v1/models', ca), 401);
  const redirect = await fetch(`${proxy}/v1/models?limit=2`, { redirect: 'manual' });
  assert.equal(redirect.status, 301);
  assert.match(redirect.headers.get('location')!, /^https:\/\/[^/]+\/v1\/models\?limit=2$/);
});

test('Caddy serves the documented site with TLS and HTTP/2', async (t) => {
  const { app } = await startService(t, { API_KEYS, TRUST_PROXY: '127.0.0.1' });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const secure = site!.replace('atelier.example', `https://localhost:${TLS_PORT}`).replace('# tls', 'tls');
  const plain = `http://${PROXY} {\n respond ok\n}\n`;
  const { authority } = await startCaddy(t, caddy, `${withPort(secure, port)}\n${plain}`);
  const ca = await readFile(authority);
  const hasCertificate = () =>
    statusOverTls('/health/ready', ca).then(
      () => true,
      (error) => assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR'),
    );
  // Caddy listens before it has made its certificate.
  while (!(await hasCertificate()));
  assert.equal(await statusOverTls('/health/ready', ca), 200);
  assert.equal(await statusOverTls('/v1/models', ca), 401);
});
