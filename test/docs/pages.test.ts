import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config/read.ts';
import { PAGES, ROOT, readBlocks, readPage } from './pages.ts';
import { matches } from './run-page.ts';

/** GitHub's anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string) =>
  Array.from(readPage(page).matchAll(/^#+ (.+)$/gm), ([, heading]) => anchor(heading!));

test('the README is a first page of at most 150 lines, with responses of at most 10', () => {
  assert.ok(readPage('README.md').trimEnd().split('\n').length <= 150);
  for (const { language, line, text } of readBlocks('README.md')) {
    if (language === 'json') assert.ok(text.split('\n').length <= 10, `README.md:${line}`);
  }
});

test('the figures of the README are in the results to which they link', () => {
  const rows = Array.from(
    readPage('README.md').matchAll(/^\| .*?\((bench\/results\/\S+)\).*? \| (.+) \|$/gm),
  );
  assert.equal(rows.length, 6);
  for (const [, page, figures] of rows) {
    const results = readPage(page!);
    for (const [figure] of figures!.matchAll(/\d[\d,.]*\d/g)) {
      assert.match(
        results,
        new RegExp(`(?<![\\d.,])${RegExp.escape(figure)}(?![\\d.,]*\\d)`),
        `${figure} in ${page}`,
      );
    }
  }
});

test('every link between pages and files leads somewhere', () => {
  const broken = PAGES.flatMap((page) =>
    Array.from(readPage(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!)
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [path = '', heading] = target.split('#');
        const file = path === '' ? page : join(dirname(page), decodeURI(path));
        if (!existsSync(join(ROOT, file))) return true;
        return heading !== undefined && !anchorsOf(file).includes(heading);
      })
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('every file of the repository that a page names exists', () => {
  const missing = PAGES.flatMap((page) =>
    Array.from(
      readPage(page).matchAll(/`((?:src|test|scripts|docs|bench|examples|openapi)\/[\w./-]+)`/g),
      ([, path]) => path!,
    )
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

test('every page of docs is linked from the README or from an index', () => {
  const linked = readPage('README.md') + readPage('docs/decisions/README.md');
  const lost = PAGES.filter((page) => page.startsWith('docs/')).filter(
    (page) => !linked.includes(`(${page})`) && !linked.includes(`(${page.split('/').at(-1)})`),
  );
  assert.deepEqual(lost, []);
});

test('commands that are shown but not run give the reason, and no others are left out', () => {
  for (const page of PAGES) {
    for (const { language, line, note } of readBlocks(page)) {
      if (language === 'console') assert.match(note, /^not run: \S.*$/, `${page}:${line}`);
      assert.notEqual(language, '', `${page}:${line} has no language`);
      const isRun = page === 'README.md' || page.startsWith('docs/');
      if (language === 'sh') assert.ok(isRun, `${page}:${line} is never run`);
    }
  }
});

test('the commands use the port on which the service listens by default', () => {
  const ports = PAGES.flatMap((page) =>
    Array.from(readPage(page).matchAll(/localhost:(\d+)/g), ([, port]) => port),
  );
  assert.deepEqual([...new Set(ports)], [String(readConfig({}).port)]);
});

test('the container command mounts its volume where the image keeps its state', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const [, stateDir] = /STATE_DIR=(\S+)/.exec(dockerfile)!;
  const commands = PAGES.flatMap(readBlocks).flatMap(({ text }) => text.split(/(?<!\\)\n/));
  const starts = commands.filter((command) => /^(docker|podman) run /.test(command));
  assert.ok(starts.length > 0);
  for (const command of starts) {
    const mounts = Array.from(command.matchAll(/(?:-v|--volume) [^\s:]+:([^\s:]+)/g), ([, target]) => target);
    assert.deepEqual(
      mounts.filter((target) => target !== '/backups'),
      [stateDir],
      command,
    );
  }
});

test('shown output is compared without white space, and … matches any text', () => {
  assert.ok(matches('{"a":1,"b":[1,2]}', '{ "a": 1, … }'));
  assert.ok(matches('0.8288', '0.82…'));
  assert.ok(!matches('{"a":2,"b":1}', '{ "a": 1, … }'));
  assert.ok(!matches('{"a":1,"b":2}', '{ "a": 1 }'));
});
