import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { compareWithRelease } from '../../scripts/node-binary.ts';

const NAME = 'node-v1.2.3-linux-x64';
const installed = { version: '1.2.3', arch: 'x64', binary: Buffer.from('official bytes') };

/** Serves a release as nodejs.org does. */
async function serveRelease(t: TestContext, binary: string, sums?: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'release-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, NAME, 'bin'), { recursive: true });
  writeFileSync(join(directory, NAME, 'bin', 'node'), binary);
  const { stdout: archive } = spawnSync('tar', ['-czf', '-', '-C', directory, NAME]);
  const published = sums ?? `${createHash('sha256').update(archive).digest('hex')}  ${NAME}.tar.gz\n`;
  const files = new Map<string, string | Buffer>([
    ['/v1.2.3/SHASUMS256.txt', `${'0'.repeat(64)}  other.tar.gz\n${published}`],
    [`/v1.2.3/${NAME}.tar.gz`, archive],
  ]);
  const server = createServer(({ url }, response) => void response.end(files.get(url!)));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('accepts a binary that equals the one of the release', async (t) => {
  const { kind } = await compareWithRelease(installed, await serveRelease(t, 'official bytes'));
  assert.equal(kind, 'equal');
});

test('rejects another binary, an archive with another checksum, and an unlisted archive', async (t) => {
  const other = await compareWithRelease(installed, await serveRelease(t, 'other bytes'));
  assert.deepEqual([other.kind, /^the binary has SHA-256/.test(other.detail)], ['differs', true]);
  const damaged = await serveRelease(t, 'official bytes', `${'a'.repeat(64)}  ${NAME}.tar.gz\n`);
  assert.match((await compareWithRelease(installed, damaged)).detail, /but a{64} is published$/);
  const unlisted = await compareWithRelease(installed, await serveRelease(t, 'official bytes', ''));
  assert.deepEqual(unlisted, { kind: 'differs', detail: `SHASUMS256.txt does not list ${NAME}.tar.gz` });
});

test('compares nothing if the release cannot be reached', async () => {
  const { kind, detail } = await compareWithRelease(installed, 'http://127.0.0.1:1');
  assert.equal(kind, 'not-compared');
  assert.match(detail, /cannot be reached/);
});

test('the container has the Node version of the lock file, from an image with a digest', () => {
  const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const { optionalDependencies } = JSON.parse(read('package.json'));
  const [, version] = /^ARG NODE_IMAGE=node:([\d.]+)-trixie-slim@sha256:[0-9a-f]{64}$/m.exec(
    read('Dockerfile'),
  )!;
  assert.deepEqual(Object.values(optionalDependencies), [version, version]);
  const bases = ['$NODE_IMAGE', 'scratch'];
  for (const [stage, base, name] of read('Dockerfile').matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm)) {
    assert.ok(bases.includes(base!), stage);
    if (name !== undefined) bases.push(name);
  }
  assert.ok(bases.length > 2, 'no stage was found');
});

test('the build of the container can read every file that it copies', () => {
  const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const allowed = new Set(
    read('.dockerignore')
      .match(/(?<=^!).*/gm)!
      .map((path) => path.replace(/\/$/, '')),
  );
  const copied = read('Dockerfile')
    .match(/(?<=^COPY )(?!--from).*/gm)!
    .flatMap((paths) => paths.split(' ').slice(0, -1));
  const isAllowed = (path: string): boolean =>
    allowed.has(path) || (path.includes('/') && isAllowed(path.slice(0, path.lastIndexOf('/'))));
  assert.deepEqual(
    copied.filter((path) => path !== 'scripts' && !isAllowed(path)),
    [],
  );
});
