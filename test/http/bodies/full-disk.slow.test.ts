import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Problem } from '../../../src/http/errors/problem.ts';
import { npy, npz, small } from '../../datasets/upload/fixtures.ts';
import { serviceAddress, startProcess } from '../../support/start-process.ts';
import { temporaryDirectory } from '../../support/start-service.ts';
import { encodeForm, type Form, storedFiles } from '../upload.ts';

/** File size limit in KiB, for `ulimit`: more than the database needs, less than the pixels below. */
const LIMIT = 2048;
const IMAGES = 4000;

test('a full disk gives 507 for a data set, leaves no remains, and smaller ones are accepted', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const launcher = ['bash', '-c', `ulimit -f ${LIMIT}; exec "$@"`, 'bash'];
  const address = await serviceAddress(startProcess(t, stateDir, {}, launcher));
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
  // The first upload fills the disk with its parts, the second with its unpacked tensors.
  for (const form of [large, { file: npz(large) }]) {
    const response = await send(form);
    const problem = (await response.json()) as Problem;
    assert.deepEqual([response.status, problem.code], [507, 'storage-full'], problem.detail);
    assert.deepEqual(await storedFiles(stateDir), []);
  }
  assert.equal((await send(small())).status, 201);
  // The uploaded parts are removed after the response.
  while ((await storedFiles(stateDir)).length > 1) await setTimeout(5);
});
