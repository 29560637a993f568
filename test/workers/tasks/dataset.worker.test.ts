/** The tasks of a dataset thread, in this thread: one of its own would not see the mocks of the file system. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import files, { writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import threads from 'node:worker_threads';
import { datasetFieldsSchema } from '../../../src/domain/datasets/upload-form.ts';
import type { DatasetTasks } from '../../../src/workers/tasks/dataset.worker.ts';
import type { Reply, Task } from '../../../src/workers/threads/start.ts';
import { npy, npz, small } from '../../datasets/upload/fixtures.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

/** Serves tasks that cannot open the file `full`: this fails with the code. Returns a function that runs a task. */
async function serveTasks(t: TestContext, full: string) {
  const failure = { code: 'ENOSPC' };
  const { open } = files;
  t.mock.method(files, 'open', async (...args: Parameters<typeof open>) => {
    if (args[0] === full) throw Object.assign(new Error('cannot write'), failure);
    return open(...args);
  });
  t.mock.method(os, 'setPriority', () => {});
  const replies: Reply[] = [];
  const port = Object.assign(new EventEmitter(), { postMessage: (reply: Reply) => void replies.push(reply) });
  t.mock.property(threads, 'parentPort', port as unknown as typeof threads.parentPort);
  applyMocks(t);
  await import('../../../src/workers/tasks/dataset.worker.ts');
  const [listener] = port.listeners('message') as [(call: object) => Promise<void>];
  async function run<Name extends keyof DatasetTasks>(name: Name, task: Task<DatasetTasks, Name>) {
    await listener({ name, task });
    return replies.pop();
  }
  return { failure, run };
}

/** Whether the reply is the error of a full disk, with this in its sentence. */
function assertFull(reply: Reply | undefined, what: string): void {
  assert.ok(reply?.kind === 'error');
  assert.equal(reply.error.code, 'storage-full');
  assert.ok(reply.error.message.includes(what), reply.error.message);
}

test('a full disk is an error of the task, and another failure ends the thread', async (t) => {
  const folder = await temporaryDirectory(t);
  const path = (name: string) => join(folder, name);
  const { failure, run } = await serveTasks(t, path('full'));
  const [arrays, pictures] = [npz(small()), npz({ images: npy(new Uint8Array(8), [2, 4]) })];
  await Promise.all([writeFile(path('arrays'), arrays), writeFile(path('pictures'), pictures)]);
  const { name: _, ...fields } = datasetFieldsSchema.parse({});
  const upload = {
    files: [{ part: 'file', path: path('arrays'), bytes: arrays.length }],
    fields,
    maxBytes: 2 ** 20,
    maxPixels: 1000,
  };
  const chosen = { imageShape: [28, 28], reason: 'As in the arrays.' } as const;
  const check = (name: string) => run('checkDataset', { ...upload, chosen, target: path(name) });
  const file = { path: path('pictures'), bytes: pictures.length };
  const checkFile = (name: string) =>
    run('checkImageFile', { file, image: [2, 2], maxBytes: 2 ** 20, target: path(name) });

  assertFull(await check('full'), 'the data set');
  assertFull(await checkFile('full'), 'the file of images');
  failure.code = 'EIO';
  await assert.rejects(check('full'), { code: 'EIO' });
  await assert.rejects(checkFile('full'), { code: 'EIO' });

  const measured = await run('measureUpload', upload);
  assert.deepEqual(measured, { kind: 'result', result: { images: 12, chosen, extraBytes: 0 } });
  const checked = await check('tensors');
  assert.equal(checked?.kind, 'result');
  const checkedFile = await checkFile('unpacked');
  assert.ok(checkedFile?.kind === 'result');
  assert.deepEqual(checkedFile.result, { images: 2, pixels: '0-255', isUnpacked: true });
});
