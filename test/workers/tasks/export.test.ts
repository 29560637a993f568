import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { exportVerified } from '../../../src/workers/tasks/export.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { modelOf } from '../../formats/fixtures.ts';
import { dense } from '../../support/dense.ts';
import { temporaryDirectory } from '../../support/start-service.ts';

const model = modelOf(dense([784, 5, 3]));
const task = { model, format: 'onnx', input: 'uint8', temperature: 1.5 } as const;

test('an export with a temperature is written as it was verified', async (t) => {
  const path = join(await temporaryDirectory(t), 'model.onnx');
  exportVerified({ ...task, path });
  assert.deepEqual(new Uint8Array(await readFile(path)), exportModel(model, 'onnx', 'uint8', 1.5));
});

test('an export to a full disk is reported as such, and any other failure as it is', async (t) => {
  const missing = join(await temporaryDirectory(t), 'missing', 'model.onnx');
  assert.throws(() => exportVerified({ ...task, path: missing }), { code: 'ENOENT' });
  if (process.platform !== 'linux') return t.skip('only Linux has /dev/full');
  assert.throws(
    () => exportVerified({ ...task, path: '/dev/full' }),
    isAtelierError('storage-full', /the export could not be stored/),
  );
});
