/** The files of deploy/: Docker Compose, systemd, kubectl, and the gateway. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { environmentSchema } from '../../src/config/environment.ts';
import { readConfig } from '../../src/config/read.ts';
import { findProgram, PROXY, startNginx } from '../support/servers/proxies.ts';
import { startService, temporaryDirectory, testImage, tiny, train } from '../support/start-service.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');

interface Service {
  readonly image: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

async function readCompose(...profiles: string[]): Promise<Readonly<Record<string, Service>>> {
  const compose = await findProgram('docker-compose', '/usr/libexec/docker/cli-plugins/docker-compose');
  const options = ['-f', join(DEPLOY, 'compose.yaml'), ...profiles.map((profile) => `--profile=${profile}`)];
  // As a standalone program, without an engine and without deploy/.env.
  const env = { POSTGRES_PASSWORD: 'secret', COMPOSE_DISABLE_ENV_FILE: '1' };
  const { stdout } = await promisify(execFile)(compose, [...options, 'config', '--format', 'json'], { env });
  return JSON.parse(stdout).services;
}

test('deploy/compose.yaml is valid, and sets only variables that the service accepts', async () => {
  const single = await readCompose('single');
  const scale = await readCompose('scale');
  const monitored = await readCompose('single', 'monitoring');
  assert.deepEqual(Object.keys(single), ['single']);
  assert.deepEqual(Object.keys(scale).toSorted(), ['api', 'database', 'gateway', 'migrate', 'worker']);
  assert.deepEqual(Object.keys(monitored).toSorted(), ['prometheus', 'single']);
  for (const [name, service] of Object.entries({ ...monitored, ...scale })) {
    assert.deepEqual([service.read_only, service.cap_drop], [true, ['ALL']], name);
    if (service.image !== 'atelier') continue;
    const environment = service.environment!;
    const unknown = Object.keys(environment).filter((variable) => !(variable in environmentSchema.shape));
    assert.deepEqual(unknown, [], name);
    const { database, role } = readConfig(environment);
    assert.equal(
      database?.url,
      name === 'single' ? undefined : 'postgresql://atelier:secret@database:5432/atelier',
    );
    assert.equal(role, name === 'api' || name === 'worker' ? name : 'all');
  }
});

const UNIT = join(DEPLOY, 'systemd/atelier.service');
const withoutSystemd = !existsSync('/usr/bin/systemd-analyze') && process.env['CI'] !== 'true';

test('systemd accepts the unit and rates its sandbox as safe, and the service accepts its variables', {
  skip: withoutSystemd && 'systemd is not installed',
}, async (t) => {
  const unit = readFileSync(UNIT, 'utf8');
  const folder = await temporaryDirectory(t);
  const copy = join(folder, 'atelier.service');
  await writeFile(copy, unit.replaceAll('/opt/atelier', join(DEPLOY, '..')));
  const analyze = (...args: string[]) => promisify(execFile)('systemd-analyze', [...args, copy]);
  const { stdout, stderr } = await analyze('verify', '--man=no');
  assert.equal(stdout + stderr, '');
  await analyze('security', '--offline=true', '--threshold=15');
  const variables = Array.from(unit.matchAll(/^Environment=(\w+)=(.*)$/gm), ([, ...pair]) => pair);
  const { STATE_DIR, MALLOC_MMAP_THRESHOLD_, NODE_COMPILE_CACHE, ...others } = Object.fromEntries(variables);
  assert.deepEqual(others, {});
  assert.equal(NODE_COMPILE_CACHE, '/var/cache/atelier');
  assert.equal(STATE_DIR, '/var/lib/atelier');
  const { scripts } = JSON.parse(readFileSync(join(DEPLOY, '../package.json'), 'utf8'));
  const [, command] = /^ExecStart=\S+\/(node .*)$/m.exec(unit)!;
  assert.ok(scripts.start.startsWith(`MALLOC_MMAP_THRESHOLD_=${MALLOC_MMAP_THRESHOLD_} `));
  assert.ok(scripts.start.endsWith(` exec ${command}`));
  assert.ok(
    readFileSync(join(DEPLOY, '../Dockerfile'), 'utf8').includes(
      JSON.stringify(command!.split(' ')).replaceAll(',', ', '),
    ),
  );
  const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(unit)!;
  assert.ok(Number(seconds) > readConfig({}).shutdownGraceSeconds);
});

test('kubectl builds every folder of deploy/kubernetes, with the image that it names', async () => {
  const kubectl = await findProgram('kubectl', '/usr/bin/kubectl');
  for (const folder of ['', 'migrate', 'single', 'monitoring']) {
    const { stdout } = await promisify(execFile)(kubectl, ['kustomize', join(DEPLOY, 'kubernetes', folder)]);
    const images = Array.from(stdout.matchAll(/^ +(?:- )?image: (.*)$/gm), ([, image]) => image);
    assert.equal(images.length, { '': 2, migrate: 1, single: 1 }[folder] ?? 0, folder);
    for (const image of images) assert.match(image!, /^registry\.example\/atelier:/);
  }
});

test('the gateway distributes requests, and repeats them if a replica shuts down', async (t) => {
  const replicas = await Promise.all(
    [1, 2].map(async () => {
      const replica = await startService(t, {
        TRUST_PROXY: '1',
        ALLOW_ANONYMOUS: 'true',
        ALLOWED_HOSTS: PROXY.split(':')[0]!,
        // A busy machine must not reject predictions.
        MAX_EVENT_LOOP_DELAY_MS: '60000',
      });
      await train(replica.app, tiny({ modelName: 'm' }));
      await replica.app.listen({ port: 0, host: '127.0.0.1' });
      return { ...replica, port: (replica.app.server.address() as AddressInfo).port };
    }),
  );
  // Older versions of nginx cannot look up addresses again.
  const servers = replicas.map(({ port }) => `server 127.0.0.1:${port} max_fails=0;`);
  const nginx = await findProgram('nginx', '/usr/sbin/nginx');
  const base = await startNginx(t, nginx, (folder) =>
    readFileSync(join(DEPLOY, 'nginx.conf'), 'utf8')
      .replace(/server api:3000 resolve.*/, servers.join('\n'))
      .replace('listen 8080', `listen ${PROXY}`)
      .replaceAll('/tmp/', `${folder}/`),
  );
  const listJobs = async () =>
    (await (await fetch(`${base}/v1/training-jobs`)).json()) as { data: { id: string }[] };
  const seen = new Set<string>();
  for (let i = 0; i < 8; i++) seen.add((await listJobs()).data[0]!.id);
  assert.equal(seen.size, 2);

  const body = await testImage(replicas[0]!.app, 0);
  const headers = { 'content-type': 'application/octet-stream' };
  const statuses: number[] = [];
  let isClosed = false;
  async function predict(): Promise<void> {
    while (!isClosed) {
      const url = `${base}/v1/models/m/predictions`;
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
      statuses.push(response.status);
      await response.arrayBuffer();
    }
  }
  const clients = [predict(), predict(), predict(), predict()];
  while (statuses.length < 100) await new Promise(setImmediate);
  await replicas[1]!.close();
  const atClose = statuses.length;
  while (statuses.length < atClose + 100) await new Promise(setImmediate);
  isClosed = true;
  await Promise.all(clients);
  assert.deepEqual([...new Set(statuses)], [200]);
});
