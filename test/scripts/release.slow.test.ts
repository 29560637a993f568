/** `npm run release` in a clone whose own tests are replaced by a quick check. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../support/start-service.ts';

const ROOT = join(import.meta.dirname, '../..');
const VERSION = '98.7.6';

test('a release is one commit with a tag, is repeated without a change, and leaves nothing in a dry run', async (t) => {
  const clone = join(await temporaryDirectory(t), 'clone');
  const run = async (command: string, ...args: string[]) => {
    const { stdout } = await promisify(execFile)(command, args, { cwd: clone, maxBuffer: 2 ** 26 });
    return stdout.trim();
  };
  const release = (...args: string[]) => run('npm', 'run', '--silent', 'release', '--', ...args);
  await promisify(execFile)('git', ['clone', '--quiet', ROOT, clone]);
  await run('git', 'switch', '--quiet', '--create', 'tested');
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  for (const setting of ['user.name=Test', 'user.email=test@localhost']) {
    await run('git', 'config', ...setting.split('='));
  }
  const read = async (name: string) => readFile(join(clone, name), 'utf8');
  const description = JSON.parse(await read('package.json'));
  const { version: previous } = description;
  description.scripts.test = 'npm run check:openapi && npm run check:kubernetes';
  const client = JSON.parse(await read('clients/node/package.json'));
  // Compiles for seconds; test/clients/node.slow.test.ts packs the whole client.
  delete client.scripts.prepack;
  await writeFile(join(clone, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  await writeFile(join(clone, 'clients/node/package.json'), `${JSON.stringify(client, null, 2)}\n`);
  const changelog = await read('CHANGELOG.md');
  await writeFile(join(clone, 'CHANGELOG.md'), changelog.replace('## Unreleased\n', '$&\n- A change.\n'));
  await assert.rejects(release(VERSION), { code: 1, stderr: /not clean\. Commit or remove your changes/ });
  await run('git', 'commit', '--all', '--quiet', '--message', 'test: replace the tests');

  const before = await run('git', 'rev-parse', 'HEAD');
  const dry = await release(VERSION, '--dry-run');
  assert.match(dry, /Dockerfile/);
  const sums = /^[0-9a-f]{64} {2}atelier-98\.7\.6\.tgz$/m;
  assert.match(dry, sums);
  assert.equal(await run('git', 'status', '--porcelain', '--ignored'), '!! node_modules');
  assert.deepEqual(await Promise.all([run('git', 'rev-parse', 'HEAD'), run('git', 'tag')]), [before, '']);

  const output = await release(VERSION);
  assert.match(output, /^git push origin tested\ngit push origin v98\.7\.6$/m);
  assert.equal(await run('git', 'status', '--porcelain'), '');
  assert.equal(
    await run('git', 'rev-parse', 'v98.7.6^{commit}', 'HEAD~1'),
    `${await run('git', 'rev-parse', 'HEAD')}\n${before}`,
  );
  assert.match(await read('CHANGELOG.md'), /^## 98\.7\.6 \(\d{4}-\d\d-\d\d\)\n\n- A change\.$/m);
  // Other files name the version in which something began.
  const others = [
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'docs',
    'src/http/docs',
    'src/store',
    'test',
    'bench',
    '*-lock.json',
  ];
  const grep = [
    'grep',
    '--files-with-matches',
    '--fixed-strings',
    previous,
    '--',
    ...others.map((path) => `:!${path}`),
  ];
  assert.equal(await run('git', ...grep).catch(({ stdout }) => stdout), '');
  const folder = join(clone, 'release');
  await promisify(execFile)('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
  assert.deepEqual((await readdir(folder)).toSorted(), [
    'SHA256SUMS',
    'atelier-98.7.6.cdx.json',
    'atelier-98.7.6.tgz',
    'atelier-client-98.7.6.tgz',
    'atelier_client-98.7.6-py3-none-any.whl',
  ]);
  const { metadata, components } = JSON.parse(await read('release/atelier-98.7.6.cdx.json'));
  assert.equal(metadata.component.version, VERSION);
  assert.ok(components.some(({ name }: { name: string }) => name === 'fastify'));

  const first = await read('release/SHA256SUMS');
  const commit = await run('git', 'rev-parse', 'HEAD');
  assert.match(await release(VERSION), sums);
  assert.equal(await run('git', 'rev-parse', 'HEAD'), commit);
  assert.equal(await read('release/SHA256SUMS'), first);
});
