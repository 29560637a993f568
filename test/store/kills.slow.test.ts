import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/sqlite/open.ts';
import { temporaryDirectory } from './fixtures.ts';

test('every acknowledged event survives SIGKILL', async (t) => {
  const directory = await temporaryDirectory(t);
  for (let kill = 1; kill <= 5; kill++) {
    const [jobId, ...acknowledged] = await killedAfter('appending.ts', directory, 50 * kill + 1);
    const store = await openStore(directory);
    const { data } = await store.events.list(jobId!, { limit: 1_000_000 });
    await store.close();
    const last = Number(acknowledged.at(-1));
    assert.ok(last >= 50 * kill);
    assert.ok(data.length >= last, `${data.length} events, ${last} acknowledged`);
    assert.deepEqual(
      data.map((event) => event.id),
      data.map((_, n) => n + 1),
    );
    assert.deepEqual(
      data.slice(1).map((event) => event.data['n']),
      data.slice(1).map((_, n) => n + 1),
    );
  }
});

test('after a kill at any moment, jobs, stored responses and keys correspond one to one', async (t) => {
  for (let kill = 1; kill <= 5; kill++) {
    const directory = await temporaryDirectory(t);
    const acknowledged = await killedAfter('creating.ts', directory, 7 * kill);
    const store = await openStore(directory);
    const { data: jobs } = await store.jobs.list({ limit: 100_000 });
    const answers: (string | undefined)[] = [];
    for (let n = 0; n < jobs.length + 1; n++) {
      const asked = { caller: 'anonymous', key: `key-${n}` };
      answers.push((await store.storedResponses.find(asked, new Date()))?.body);
    }
    await store.close();
    assert.deepEqual(answers, [...jobs.toReversed().map(({ id }) => id), undefined]);
    assert.ok(acknowledged.length >= 7 * kill);
    assert.deepEqual(
      acknowledged,
      answers.slice(0, acknowledged.length).map((id, n) => `${n} ${id}`),
    );
  }
});

/** The lines that a child process printed until it was killed, which happens after the given number of them. */
async function killedAfter(program: string, directory: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'children', program), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  });
  const [code, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL', `the child was not killed, and ended with ${code}`);
  return output.split('\n').slice(0, -1);
}
