import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import threads from 'node:worker_threads';
import { migrations } from '../../../../src/store/migrations/all.ts';
import { prepareInThread } from '../../../../src/store/sqlite/prepare/in-thread.ts';
import { applyMocks } from '../../../support/mocked-builtins.ts';
import { failure, temporaryDirectory } from '../../fixtures.ts';

test('a database is migrated in a thread, which reports its steps, or rejected with advice', async (t) => {
  const directory = await temporaryDirectory(t);
  const [file, damaged] = [join(directory, 'atelier.sqlite'), join(directory, 'damaged.sqlite')];
  new DatabaseSync(file).close();
  await writeFile(damaged, 'x'.repeat(4096));
  const reports: unknown[] = [];
  const rejected = assert.rejects(
    prepareInThread(damaged, () => {}),
    failure('state-unusable', damaged, 'not a database', 'Restore it from a backup'),
  );
  await prepareInThread(file, (message, fields) => reports.push([message, fields]));
  await rejected;
  const names = Object.keys(migrations);
  assert.deepEqual(reports.slice(0, 2), [
    ['checking the database', { bytes: 0 }],
    ['migrating the database', { migrations: names }],
  ]);
  assert.equal(reports.length, 2 + names.length);
});

test('a thread that fails without a message, or ends early, rejects', async (t) => {
  const file = join(await temporaryDirectory(t), 'atelier.sqlite');
  await writeFile(file, '');
  const started: EventEmitter[] = [];
  class Thread extends EventEmitter {
    constructor() {
      super();
      started.push(this);
    }
  }
  const { Worker } = threads;
  threads.Worker = Thread as unknown as typeof Worker;
  t.after(() => {
    threads.Worker = Worker;
  });
  applyMocks(t);
  const prepare = (...events: (readonly [string, unknown])[]) => {
    const prepared = prepareInThread(file, () => {});
    for (const [name, value] of events) started.at(-1)!.emit(name, value);
    return prepared;
  };
  await prepare(['exit', 0]);
  await assert.rejects(prepare(['exit', 3]), /ended with code 3/);
  await assert.rejects(prepare(['error', new Error('out of memory')], ['exit', 0]), /out of memory/);
  const refused = { code: 'state-unusable', message: 'no database' };
  await assert.rejects(prepare(['message', refused], ['exit', 0]), failure('state-unusable', 'no database'));
});
