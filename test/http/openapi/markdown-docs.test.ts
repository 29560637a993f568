import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, posix } from 'node:path';
import { after, test } from 'node:test';
import { assertProblem, startService } from '../../support/start-service.ts';

const ROOT = join(import.meta.dirname, '../../..');
const { app } = await startService({ after });

/** Paths of the links of a Markdown text, without fragments and other sites. */
const linksOf = (text: string) =>
  Array.from(text.matchAll(/\]\((?!https?:|#)([^)\s#]+)/g), ([, target]) => target!);

test('every link of /llms.txt leads to a file of the service, and each page is the one of the repository', async () => {
  const index = await app.inject('/llms.txt');
  assert.equal(index.headers['content-type'], 'text/plain; charset=utf-8');
  assert.match(index.body, /^# Atelier\n\n> .+\.\n\nAtelier is an HTTP service .+\n\n- \[/);
  const pages = linksOf(index.body);
  assert.ok(pages.length > 40);
  for (const path of pages) {
    const response = await app.inject(`/${path}`);
    assert.equal(response.statusCode, 200, path);
    if (!path.endsWith('.md')) continue;
    assert.equal(response.headers['content-type'], 'text/markdown; charset=utf-8');
    assert.equal(response.body.trimEnd(), (await readFile(join(ROOT, path), 'utf8')).trimEnd());
  }
});

test('links from one page to another lead to it', async () => {
  const seen = new Set(['/README.md']);
  // A set is also iterated over what is added meanwhile.
  for (const url of seen) {
    const response = await app.inject(url);
    assert.equal(response.statusCode, 200, url);
    for (const target of linksOf(response.body)) {
      const path = posix.join(posix.dirname(url), target);
      if (/^\/(README|docs\/.*)\.md$/.test(path)) seen.add(path);
    }
  }
  assert.ok(seen.size > 40);
});

test('/llms-full.txt contains the pages', async () => {
  const { body } = await app.inject('/llms-full.txt');
  for (const path of ['README.md', 'docs/guides/training.md', 'docs/reference/errors.md']) {
    assert.ok(body.includes(await readFile(join(ROOT, path), 'utf8')), path);
  }
});

test('the pages are sent once, as long as they are unchanged', async () => {
  for (const url of ['/llms.txt', '/llms-full.txt', '/docs/guides/training.md?x=1']) {
    const { headers } = await app.inject(url);
    const again = await app.inject({ url, headers: { 'if-none-match': headers['etag']! } });
    assert.deepEqual([again.statusCode, again.body], [304, ''], url);
  }
});

test('a page that does not exist is a route that does not exist', async () => {
  for (const url of [
    '/docs/nothing.md',
    '/docs/guides/..%2f..%2fREADME.md',
    '/docs/guides/training',
    '/llms.md',
  ]) {
    assertProblem(await app.inject(url), 404, 'route-not-found');
  }
});

test('a path out of the documentation is a route that does not exist', async () => {
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  // `inject` and `fetch` resolve the dots themselves.
  for (const path of ['/docs/..', '/docs/%2e%2e/v1/models', '/docs/guides/../../', '/docs/\\..\\..\\']) {
    const [response] = (await once(get({ port, path }), 'response')) as [IncomingMessage];
    assert.equal(response.resume().statusCode, 404, path);
  }
});
