import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { ALONE } from './page/groups.ts';
import { fastTests, SHARED_FAST_TESTS, SHARED_SLOW_TESTS, UNIT_FOLDERS } from './runners/shared-process.ts';
import { testFiles } from './runners/tiers.ts';

/** Layers, in the order in which a request passes them. A file imports only from its own folder and later ones. */
const FOLDERS = [
  'http',
  'services',
  'queue',
  'workers',
  'store',
  'protocols',
  'datasets',
  'images',
  'formats',
  'charts',
  'domain',
  'concurrency',
  'numerics',
];
/** The process: what starts, configures and assembles the layers. */
const ABOVE_LAYERS = ['', 'process', 'commands', 'config'];
/** Written against the grain for speed. Every layer except the pure ones may import it, and it may import every layer. */
const TUNING = 'tuning';
const ROOMS = [...ABOVE_LAYERS, TUNING, ...FOLDERS];
const ROOT = join(import.meta.dirname, '../src');

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = sourceFiles(ROOT);
const imports = files.flatMap((file) => importsOf(ROOT, file));

function sourceFiles(root: string): string[] {
  return globSync('**/*.{ts,tsx}', { cwd: root, exclude: ['**/node_modules'] });
}

function importsOf(root: string, file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(
    /(?:import|export)\s+(type\s)?[^;]*?from\s+'(\.[^']+)'|new URL\('(\.[^']+\.ts)'/g,
  );
  return Array.from(found, ([, type, imported, entry]) => ({
    from: file,
    to: normalize(join(dirname(file), (imported ?? entry)!)),
    typeOnly: type !== undefined,
  }));
}

const folderOf = (file: string) => (file.includes('/') ? file.split('/')[0]! : '');

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const [importer, imported] = [folderOf(from), folderOf(to)];
  if (ABOVE_LAYERS.includes(importer)) return true;
  if (to === 'errors.ts') return importer !== 'numerics';
  if (imported === 'config') return typeOnly && importer !== 'numerics' && importer !== 'domain';
  if (imported === TUNING || importer === TUNING) return importer !== 'numerics' && importer !== 'domain';
  if (to === '../package.json') return importer === 'http';
  return imported !== '' && FOLDERS.indexOf(imported) >= FOLDERS.indexOf(importer);
}

test('every folder of src is in the layer order', () => {
  const unplaced = files.map(folderOf).filter((folder) => !ROOMS.includes(folder));
  assert.deepEqual(unplaced, []);
  assert.ok(imports.length > files.length, 'the imports were found');
});

test('a file imports only from its own folder or from folders further down', () => {
  const wrong = imports.filter((each) => !isAllowed(each)).map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

for (const folder of ['src', 'page', 'scripts', 'cli', 'bench', 'test']) {
  test(`imports in ${folder} form no cycle, type-only ones included`, () => {
    const root = join(ROOT, '..', folder);
    const names = sourceFiles(root);
    const graph = Map.groupBy(
      names.flatMap((file) => importsOf(root, file)),
      (each) => each.from,
    );
    assert.ok(graph.size > names.length / 2, 'the imports were found');
    const finished = new Set<string>();
    function visit(file: string, path: readonly string[]): void {
      assert.ok(!path.includes(file), `a cycle: ${[...path, file].join(' → ')}`);
      if (finished.has(file)) return;
      for (const { to } of graph.get(file) ?? []) visit(to, [...path, file]);
      finished.add(file);
    }
    for (const file of names) visit(file, []);
  });
}

test('numerics imports nothing outside itself and uses neither clock nor randomness', () => {
  for (const file of files.filter((each) => folderOf(each) === 'numerics')) {
    const source = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(source, /from '(?!\.)/, file);
    assert.doesNotMatch(source, /\b(Math\.random|Date|performance|async|await|process|console)\b/, file);
  }
});

test('the command line client imports only types from src', () => {
  const cli = join(ROOT, '../cli');
  const names = sourceFiles(cli);
  assert.ok(names.length > 0);
  for (const file of names) {
    const statements =
      readFileSync(join(cli, file), 'utf8').match(
        /^import[^;]*?\/src\/[^;]*;|import\([^)]*\/src\/[^)]*\)/gm,
      ) ?? [];
    for (const statement of statements) assert.match(statement, /^import type /, file);
  }
});

test('the page imports values only from its own folder and from the charts, and never markup as text', () => {
  const page = join(ROOT, '../page');
  const names = sourceFiles(page);
  assert.ok(names.length > 0);
  for (const name of names) {
    const source = readFileSync(join(page, name), 'utf8');
    for (const [statement] of source.matchAll(/^import[^;]*?\/src\/[^;]*;/gm)) {
      assert.match(statement, /^import type |\/src\/charts\//, name);
    }
    assert.doesNotMatch(source, /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML/, name);
  }
});

test('only config/read.ts reads the environment', () => {
  const readers = files.filter((file) => /process\.env/.test(readFileSync(join(ROOT, file), 'utf8')));
  assert.deepEqual(readers, ['config/read.ts']);
});

/** Names of Node's network modules that open no connection. All others are forbidden. */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  http: ['createServer', 'IncomingMessage', 'Server', 'ServerResponse', 'STATUS_CODES'],
  net: ['AddressInfo', 'BlockList', 'createServer as createSocketServer', 'isIP', 'Socket'],
};

/** Start processes without input of clients: Node with a file of this project, and chrt of the system. */
const CHILDREN = ['tuning/compare-vectors.ts', 'tuning/time-slice.ts'];
/** Connect to the database and the object store of the configuration only. */
const CLIENTS = ['store/postgres/', 'store/s3/'];
/** Connects to origins that the operator lists, at addresses that it has checked. */
const WEBHOOKS = 'services/webhooks/post.ts';

test('src opens no connections except for webhooks, so no other URL is fetched for a client', () => {
  const isClient = (file: string) => file === WEBHOOKS || CLIENTS.some((folder) => file.startsWith(folder));
  assert.ok([WEBHOOKS, ...CHILDREN].every((file) => files.includes(file)));
  for (const file of files.filter((each) => !/assembly\//.test(each) && !isClient(each))) {
    const source = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    // `queue.fetch` of pg-boss reads the database.
    assert.doesNotMatch(
      source,
      /(?<!\bqueue\.)\b(fetch|WebSocket|EventSource|XMLHttpRequest)\b\s*\(|\.connect\(/,
      file,
    );
    assert.doesNotMatch(source, /from '(node:)?(https|http2|tls|dgram|dns|undici)\b|getBuiltinModule/, file);
    assert.ok(CHILDREN.includes(file) || !/from '(node:)?child_process\b/.test(source), file);
    // The loader of npyjs fetches its argument if it is a string.
    assert.doesNotMatch(source, /import [^;{]*\bnpyjs\b|\bload\b[^;]*from 'npyjs'/, file);
    const imports = /import (?:type )?([^;]*?) from 'node:(http|net)'/g;
    for (const [, names, module] of source.matchAll(imports)) {
      const imported = names!.replace(/^\{|\}$|\btype\b/g, '').split(',');
      const unknown = imported
        .map((name) => name.trim())
        .filter((name) => !HARMLESS[module!]!.includes(name));
      assert.deepEqual(unknown, [], file);
    }
  }
});

test('no file is named utils, helpers, common or manager', () => {
  assert.deepEqual(
    files.filter((file) => /(^|\/)(utils?|helpers?|common|misc|manager)(\.|\/|-)/.test(file)),
    [],
  );
});

/** Most files of a folder; more where they are one list, such as the sources of the kernel. */
const MOST_FILES = 15;
const LISTS = ['numerics/simd/assembly'];
const MOST_OF_A_LIST = 20;

test('no folder has more files than a reader can take in', () => {
  const others = ['page', 'cli'].flatMap((root) =>
    sourceFiles(join(ROOT, '..', root)).map((file) => `${root}/${file}`),
  );
  for (const [folder, inside] of Map.groupBy([...files, ...others], (file) => dirname(file))) {
    assert.ok(
      inside.length <= (LISTS.includes(folder) ? MOST_OF_A_LIST : MOST_FILES),
      `${folder}: ${inside.length}`,
    );
  }
});

test('no file repeats the name of its folder, and no two files of a folder differ only by a plural or word order', () => {
  const singular = (word: string) => word.replace(/s$/, '');
  for (const [folder, inside] of Map.groupBy(files, (file) => dirname(file))) {
    const names = inside.map((file) => basename(file, '.ts'));
    assert.ok(
      !names.map(singular).includes(singular(basename(folder))),
      `${folder} has a file of its own name`,
    );
    const words = names.map((name) => name.split(/[-.]/).map(singular).toSorted().join(' '));
    assert.deepEqual(
      words.filter((each, i) => words.indexOf(each) !== i),
      [],
      folder,
    );
  }
});

const TESTS = join(ROOT, '../test');

test('test:fast and test:coverage run every fast test once', () => {
  const all = globSync('test/**/!(*.slow).test.ts', { exclude: ['**/node_modules'] }).toSorted();
  const shared = SHARED_FAST_TESTS.map((file) => `test/${file}`);
  for (const tier of ['fast', 'coverage'] as const) {
    assert.deepEqual([...testFiles(tier), ...shared].toSorted(), all);
  }
});

test('test:slow runs every slow test once', () => {
  const all = globSync('test/**/*.slow.test.ts', { exclude: ['**/node_modules'] });
  const shared = SHARED_SLOW_TESTS.map((file) => `test/${file}`);
  const ofPage = all.filter(
    (file) => file.startsWith('test/page/') && !ALONE.some((name) => file.includes(name)),
  );
  assert.deepEqual([...testFiles('slow'), ...shared, ...ofPage].toSorted(), all.toSorted());
});

test('tests that share a process leave it unchanged', () => {
  for (const file of [...SHARED_FAST_TESTS, ...SHARED_SLOW_TESTS]) {
    const source = readFileSync(join(TESTS, file), 'utf8');
    assert.doesNotMatch(source, /process\.(chdir|exit|on|once)\(/, file);
  }
});

test('a test file has one scope, whose clean-ups run in reverse order', () => {
  for (const file of globSync('**/*.test.ts', { cwd: TESTS })) {
    const scopes = readFileSync(join(TESTS, file), 'utf8').match(/\{ after \}(?! from)/g) ?? [];
    // With two, the directory of a service could be removed while the service still runs.
    assert.ok(scopes.length <= 1, `${file} has ${scopes.length} scopes { after }`);
  }
});

test('unit tests start no service', () => {
  for (const file of UNIT_FOLDERS.flatMap(fastTests)) {
    assert.doesNotMatch(readFileSync(join(TESTS, file), 'utf8'), /start-(service|process)/, file);
  }
});

test('a training thread loads no schemas, which would take 9 MiB', () => {
  const loaded = new Set(['workers/training/entry.worker.ts', 'workers/training/step.worker.ts']);
  for (const file of loaded) {
    for (const { from, to, typeOnly } of imports) if (from === file && !typeOnly) loaded.add(to);
    assert.doesNotMatch(readFileSync(join(ROOT, file), 'utf8'), /from 'zod'/, file);
  }
  assert.ok(loaded.size > 30, 'the imports were followed');
});
