import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import v8 from 'node:v8';
import threads from 'node:worker_threads';
import { pino } from 'pino';
import { COMPARISON_FILE, chooseVectors } from '../../src/tuning/choose-vectors.ts';
import { type BatteryCommand, type Comparison, compareVectors } from '../../src/tuning/compare-vectors.ts';
import { areVectorsWide } from '../../src/tuning/wide-vectors.ts';
import { applyMocks } from '../support/mocked-builtins.ts';
import { temporaryDirectory } from '../support/start-service.ts';

const skip = process.arch !== 'x64' && 'V8 joins vectors on x64 only';

/** Processes that print this for wide vectors, and digest d1 for narrow ones. */
const printing =
  (wide: string): BatteryCommand =>
  (vectors) => ['echo', vectors === 'wide' ? wide : '{"digest":"d1","fraction":1}'];
const DIFFERENT = printing('{"digest":"d2","fraction":0.5}');
const FASTER = printing('{"digest":"d1","fraction":0.5}');
const SLOWER = printing('{"digest":"d1","fraction":1.5}');
const CRASHING: BatteryCommand = (vectors) =>
  vectors === 'wide' ? ['sh', '-c', 'kill -SEGV $$'] : ['echo', '{"digest":"d1","fraction":1}'];
const BROKEN: BatteryCommand = () => ['false'];

async function createStarts(t: TestContext, stateDir?: string) {
  const directory = stateDir ?? join(await temporaryDirectory(t), 'state');
  /** Logs of one start, as `level message`. */
  async function start(command: BatteryCommand, wideVectors: 'auto' | 'off' | 'on' = 'auto') {
    const lines: string[] = [];
    let compared = 0;
    const log = pino({}, { write: (line: string) => lines.push(line) });
    await chooseVectors({ wideVectors, stateDir: directory }, log, (): Promise<Comparison> => {
      compared++;
      return compareVectors(command);
    });
    const logged = lines.map((line) => JSON.parse(line)).map(({ level, msg }) => `${level} ${msg}`);
    return { compared, logged };
  }
  return { directory, start };
}

const NARROW = 'WIDE_VECTORS=auto: the kernel computes with vectors of 128 bits, because vectors of 256';

// Wide vectors cannot be turned off again, so the test that turns them on is the last one.

test('nothing is compared if the technique is switched off', async (t) => {
  const { start } = await createStarts(t);
  assert.deepEqual(await start(FASTER, 'off'), { compared: 0, logged: [] });
});

test('wide vectors are used without a comparison if the technique is switched on', async (t) => {
  const { mock: flags } = t.mock.method(v8, 'setFlagsFromString', () => {});
  const { mock: environment } = t.mock.method(threads, 'setEnvironmentData', () => {});
  applyMocks(t);
  const { start } = await createStarts(t);
  assert.deepEqual(await start(DIFFERENT, 'on'), {
    compared: 0,
    logged: ['30 WIDE_VECTORS=on: the kernel computes with vectors of 256 bits'],
  });
  assert.deepEqual(
    flags.calls.map((call) => call.arguments[0]),
    ['--experimental-wasm-revectorize', '--no-liftoff'],
  );
  assert.deepEqual(
    environment.calls.map((call) => call.arguments),
    [['wide vectors', true]],
  );
});

test('nothing is compared on an architecture whose vectors V8 does not join', async (t) => {
  t.mock.property(process, 'arch', 'arm64');
  const { start } = await createStarts(t);
  const logged = [
    '30 WIDE_VECTORS=auto: the kernel computes with vectors of 128 bits, because V8 joins them on x64 only',
  ];
  assert.deepEqual(await start(FASTER), { compared: 0, logged });
  assert.equal(areVectorsWide(), false);
});

test('the first processor counts, or none if the system names none', { skip }, async (t) => {
  const { start, directory } = await createStarts(t);
  const processor = async () => {
    await start(DIFFERENT);
    return JSON.parse(await readFile(join(directory, COMPARISON_FILE), 'utf8')).basis.processor;
  };
  const named = (model: string) => ({ model }) as os.CpuInfo;
  let processors: os.CpuInfo[] = [];
  t.mock.method(os, 'cpus', () => processors);
  applyMocks(t);
  assert.equal(await processor(), 'unknown');
  processors = [named('fast'), named('slow')];
  assert.equal(await processor(), 'fast');
});

test('a difference is found once, and each start warns about it', { skip }, async (t) => {
  const { start, directory } = await createStarts(t);
  const logged = [
    `40 ${NARROW} give other results. Please report the processor model: digest d2 instead of d1`,
  ];
  assert.deepEqual(await start(DIFFERENT), { compared: 1, logged });
  assert.equal((await stat(join(directory, COMPARISON_FILE))).isFile(), true);
  assert.deepEqual(await start(FASTER), { compared: 0, logged });
  assert.equal(areVectorsWide(), false);
});

test('a crash is found once, and each start warns about it', { skip }, async (t) => {
  const { start } = await createStarts(t);
  const logged = [`40 ${NARROW} crash. Please report the processor model: wide vectors: ended by SIGSEGV`];
  assert.deepEqual(await start(CRASHING), { compared: 1, logged });
  assert.deepEqual(await start(FASTER), { compared: 0, logged });
  assert.equal(areVectorsWide(), false);
});

test('wide vectors that are not faster are not used', { skip }, async (t) => {
  const { start } = await createStarts(t);
  const logged = [`30 ${NARROW} are not faster: a step takes 150 % of the time`];
  assert.deepEqual(await start(SLOWER), { compared: 1, logged });
  assert.deepEqual(await start(FASTER), { compared: 0, logged });
  assert.equal(areVectorsWide(), false);
});

test('a comparison that failed is repeated by the next start', { skip }, async (t) => {
  const { start } = await createStarts(t);
  const logged = [
    `40 ${NARROW} could not be compared. The next start tries again: narrow vectors: ended with 1`,
  ];
  assert.deepEqual(await start(BROKEN), { compared: 1, logged });
  assert.equal((await start(SLOWER)).compared, 1);
});

test('another kernel, Node or processor, or a damaged file, is compared anew', { skip }, async (t) => {
  const { start, directory } = await createStarts(t);
  await start(DIFFERENT);
  const file = join(directory, COMPARISON_FILE);
  const text = await readFile(file, 'utf8');
  const { basis, value } = JSON.parse(text);
  for (const field of Object.keys(basis)) {
    const other = { basis: { ...basis, [field]: 'other' }, value };
    for (const changed of [JSON.stringify(other), text.slice(0, -9), '']) {
      await writeFile(file, changed);
      assert.equal((await start(SLOWER)).compared, 1, changed);
    }
  }
  assert.equal((await start(DIFFERENT)).compared, 0);
});

test('a directory that cannot be written causes a warning, and does not stop the start', {
  skip,
}, async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  const { start } = await createStarts(t, join(file, 'state'));
  const { compared, logged } = await start(SLOWER);
  assert.equal(compared, 1);
  assert.match(logged[0]!, /^40 wide-vectors\.json could not be stored, so the next start computes it again/);
  assert.match(logged[1]!, /are not faster/);
});

test('with equal results in less time, wide vectors are used without a comparison at the next start', {
  skip,
}, async (t) => {
  const { start } = await createStarts(t);
  const logged = [
    '30 WIDE_VECTORS=auto: the kernel computes with vectors of 256 bits: same results, a step takes 50 % of the time',
  ];
  assert.deepEqual(await start(FASTER), { compared: 1, logged });
  assert.equal(areVectorsWide(), true);
  assert.deepEqual(await start(DIFFERENT), { compared: 0, logged });
});
