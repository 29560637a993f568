/** The fuzzer finds parsers that throw, hang, crash or use too much memory. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInput } from '../../scripts/fuzz/input.ts';
import { fuzz } from '../../scripts/fuzz/run.ts';
import { temporaryDirectory } from '../support/start-service.ts';
import { all } from './children/broken-parsers.ts';

const MODULE = new URL('./children/broken-parsers.ts', import.meta.url);
const INPUTS = 10;

for (const { name, what, failures } of [
  { name: 'throws', what: /TypeError: x is not a function\n.*broken-parsers/s, failures: [2] },
  // The process that replaces the hung one has counters that start again.
  { name: 'hangs', what: /hung for 1000 ms/, failures: [4, 9] },
  { name: 'dies', what: /ended the process with SIGSEGV/, failures: [6] },
  { name: 'grows', what: /took \d+ MiB/, failures: [3, 7] },
]) {
  test(`finds a parser that ${name}, with the bytes that cause it, and continues with the others`, async (t) => {
    const folder = await temporaryDirectory(t);
    const hangsAfterMs = name === 'hangs' ? 1000 : 300_000;
    const options = { seed: 1, inputs: INPUTS, hangsAfterMs, memoryBytes: 2 ** 29, folder };
    const found = await fuzz(MODULE, name, options);
    assert.deepEqual(
      found.failures.map(({ index }) => index),
      failures,
    );
    for (const failure of found.failures) {
      assert.match(failure.what, what);
      const saved = await readFile(join(folder, name, `${name}-${failure.index}.bin`));
      const { bytes } = createInput(await all[name]!(), name, 1, failure.index);
      assert.deepEqual(new Uint8Array(saved), bytes);
    }
    const counted = name === 'grows' ? INPUTS : INPUTS - failures.length;
    assert.equal(found.values + found.refusals, counted);
  });
}
