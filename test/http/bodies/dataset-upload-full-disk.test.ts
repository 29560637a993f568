import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Problem } from '../../../src/http/errors/problem.ts';
import { npy, npz, small } from '../../datasets/upload/fixtures.ts';
import { serving, startProcess } from '../../start-process.ts';
import { temporaryDirectory } from '../../start-service.ts';
import { encodeForm, type Form, storedFiles } from '../upload.ts';

/** Of a file, in the 1,024 bytes of `ulimit`: more than the database has, less than the pixels below take. */
const LIMIT = 2048;
const IMAGES = 4000;

test('a full disk gives 507 for a data set, leaves no remains, and smaller ones are accepted', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const launcher = ['bash', '-c', `ulimit -f ${LIMIT}; exec "$@"`, 'bash'];
  const address = await serving(startProcess(t, stateDir, {}, launcher));
  const send = async (form: Form) => {
    const { payload, headers } = await encodeForm(form);
    return fetch(`${address}/v1/datasets`, {
      method: 'POST',
      body: payload as Uint8Array<ArrayBuffer>,
      headers,
    });
  };
  const large = {
    ...small(),
    train_images: npy(new Uint8Array(IMAGES * 784), [IMAGES, 784]),
    train_labels: npy(
      Uint8Array.from({ length: IMAGES }, (_, n) => n % 2),
      [IMAGES],
    ),
  };
  // What arrives takes the space, and then what is made of it.
  for (const form of [large, { file: npz(large) }]) {
    const response = await send(form);
    const problem = (await response.json()) as Problem;
    assert.deepEqual([response.status, problem.code], [507, 'storage-full'], problem.detail);
    assert.deepEqual(await storedFiles(stateDir), []);
  }
  assert.equal((await send(small())).status, 201);
  // The files of the form go when it has been answered.
  while ((await storedFiles(stateDir)).length > 1) await setTimeout(5);
});
