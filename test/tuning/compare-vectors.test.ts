import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type BatteryCommand, compareVectors } from '../../src/tuning/compare-vectors.ts';

const measured = (digest: string, fraction: number) =>
  `console.log('${JSON.stringify({ digest, fraction })}')`;
const NARROW = measured('d1', 1);

/** Runs these programs instead of the battery. */
function scripts(wide: string, narrow = NARROW): BatteryCommand {
  return (vectors) => [process.execPath, '--eval', vectors === 'wide' ? wide : narrow];
}

test('the battery gives the same digest with wide vectors', async () => {
  // On a busy machine it may take longer than a start waits.
  const { outcome, detail } = await compareVectors(undefined, 60_000);
  assert.ok(outcome === 'faster' || outcome === 'not-faster', `${outcome}: ${detail}`);
  assert.match(detail, /^a step takes \d+ % of the time$/);
});

test('with equal digests, wide vectors must take less time', async () => {
  assert.deepEqual(await compareVectors(scripts(measured('d1', 0.75))), {
    outcome: 'faster',
    detail: 'a step takes 75 % of the time',
  });
  assert.equal((await compareVectors(scripts(measured('d1', 0.995)))).outcome, 'not-faster');
});

test('another digest is a difference, even if it takes less time', async () => {
  assert.deepEqual(await compareVectors(scripts(measured('d2', 0.5))), {
    outcome: 'different',
    detail: 'digest d2 instead of d1',
  });
});

const CRASHES = {
  'process.abort()': 'ended by SIGABRT',
  'process.kill(process.pid, "SIGSEGV")': 'ended by SIGSEGV',
  'throw new WebAssembly.RuntimeError("unreachable")': 'ended with 1, RuntimeError: unreachable',
  'console.log("{}")': 'unreadable output',
  'console.log(JSON.stringify({ digest: "d1" }))': 'unreadable output',
};

for (const [script, failure] of Object.entries(CRASHES)) {
  test(`a process with wide vectors that fails is a crash: ${failure}`, async () => {
    assert.deepEqual(await compareVectors(scripts(script)), {
      outcome: 'crashed',
      detail: `wide vectors: ${failure}`,
    });
  });
}

test('nothing is compared if a process is killed from outside, hangs, or cannot start', async () => {
  const killed = scripts('process.kill(process.pid, "SIGKILL")');
  assert.deepEqual(await compareVectors(killed), {
    outcome: 'not-compared',
    detail: 'wide vectors: ended by SIGKILL',
  });
  const hanging: BatteryCommand = (vectors) =>
    vectors === 'wide' ? ['sleep', '600'] : ['echo', '{"digest":"d1","fraction":1}'];
  assert.deepEqual(await compareVectors(hanging, 2_000), {
    outcome: 'not-compared',
    detail: 'wide vectors: no result within 2000 ms',
  });
  assert.deepEqual(await compareVectors(() => ['/nowhere/node']), {
    outcome: 'not-compared',
    detail: 'narrow vectors: ended with ENOENT',
  });
});

test('nothing is compared if narrow vectors fail as well', async () => {
  assert.deepEqual(await compareVectors(scripts('process.abort()', 'process.exit(3)')), {
    outcome: 'not-compared',
    detail: 'narrow vectors: ended with 3',
  });
});

/** A zombie has ended; its parent has not fetched the exit code yet. */
function hasEnded(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  try {
    return !existsSync(file) || / Z /.test(readFileSync(file, 'utf8'));
  } catch {
    return true;
  }
}

test('a process that exits during a comparison leaves no processes behind', async () => {
  const url = new URL('../../src/tuning/compare-vectors.ts', import.meta.url);
  const script = `
    import { readFileSync } from 'node:fs';
    import { setTimeout as wait } from 'node:timers/promises';
    import { compareVectors } from '${url}';
    void compareVectors(() => ['sleep', '600']);
    process.stdout.write(await children(), () => process.exit(0));
    async function children() {
      for (;;) {
        const ids = readFileSync('/proc/thread-self/children', 'utf8').trim();
        if (ids.split(' ').length === 2) return ids;
        await wait(20);
      }
    }`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const pids = stdout.split(' ').map(Number);
  assert.equal(pids.length, 2, stdout);
  for (const pid of pids) while (!hasEnded(pid)) await wait(20);
});
