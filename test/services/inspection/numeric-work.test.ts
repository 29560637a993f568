import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { createNumericWork } from '../../../src/services/inspection/numeric-work.ts';
import { createMemoryLedger, MEBIBYTE } from '../../../src/services/memory/ledger.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import { dense } from '../../support/dense.ts';

const network = (hidden: number) => ({
  reference: { name: 'm', version: 1 },
  classNames: ['a', 'b'],
  architecture: dense([784, hidden, 2]),
  activation: 'relu' as const,
  standardization: null,
  parameters: new Float32Array(0),
});
const examples = (count: number) => ({ pixels: new Uint8Array(0), labels: new Uint8Array(count) });

/** Pools that record their tasks and the memory reserved during them. */
function recordWork(limit: number) {
  const memory = createMemoryLedger({ limit: limit * MEBIBYTE, base: 0 });
  const ran: [pool: string, task: string, isReserved: boolean][] = [];
  const closed: string[] = [];
  const recordingPool = (pool: string) =>
    ({
      async run(name: string, _task: unknown, _signal: unknown, _transfer: unknown, admit: () => Disposable) {
        using _admission = admit();
        ran.push([pool, name, memory.used() > 0]);
      },
      close: async () => void closed.push(pool),
    }) as unknown as NumericPool;
  const work = createNumericWork({ short: recordingPool('short'), long: recordingPool('long') }, memory);
  return { work, ran, closed, memory };
}

test('long and short tasks run in different threads, and both reserve memory', async () => {
  const { work, ran, memory } = recordWork(1024);
  await work.run('evaluate', { network: network(40), examples: examples(10_000) });
  await work.run('evaluate', { network: network(800), examples: examples(60_000) });
  assert.deepEqual(ran, [
    ['short', 'evaluate', true],
    ['long', 'evaluate', true],
  ]);
  assert.equal(memory.used(), 0);
});

test('a table of predictions is long from five million numbers on, which take about a second to write', async () => {
  const { work, ran } = recordWork(1024);
  const classNames = Array.from({ length: 10 }, (_, label) => `${label}`);
  const table = { probabilities: 'p', labels: null, judgements: null, classNames, target: 't' };
  for (const [images, hasAllClasses] of [
    [400_000, true],
    [600_000, true],
    [4_000_000, false],
    [6_000_000, false],
  ] as const) {
    await work.run('writePredictionsTable', { ...table, images, hasAllClasses });
  }
  assert.deepEqual(
    ran.map(([pool]) => pool),
    ['short', 'long', 'short', 'long'],
  );
});

test('rejects a task as overload if too little memory is free, and as impossible if it can never fit', async () => {
  const { work, memory } = recordWork(128);
  using _other = memory.reserve(100 * MEBIBYTE, { what: 'A check' });
  const evaluation = (hidden: number) =>
    work.run('evaluate', { network: network(hidden), examples: examples(1) });
  const withCode = (code: string) => (error: unknown) => error instanceof AtelierError && error.code === code;
  await assert.rejects(evaluation(40), withCode('overloaded'));
  await assert.rejects(evaluation(100_000), withCode('impossible-request'));
});

test('both pools are closed', async () => {
  const { work, closed } = recordWork(1024);
  await work.close();
  assert.deepEqual(closed, ['short', 'long']);
});
