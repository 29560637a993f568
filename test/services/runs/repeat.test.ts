import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { isStorageOutage } from '../../../src/services/runs/repeat.ts';
import { deserializeError, serializeError } from '../../../src/workers/threads/errors.ts';

test('a lack of files is recognised behind other errors, also behind those of a thread', async () => {
  const cause = Object.assign(new Error("EMFILE: too many open files, open '/a'"), { code: 'EMFILE' });
  const stored = new AtelierError('state-unusable', 'STATE_DIR cannot store the blob: EMFILE.', { cause });
  const crashed = new AtelierError(
    'worker-crashed',
    'The training thread crashed: Cannot read package config [path] too many open files..',
  );
  for (const error of [cause, stored, crashed]) {
    assert.ok(isStorageOutage(error), String(error));
    assert.ok(isStorageOutage(serializeError(error)), String(error));
    assert.ok(isStorageOutage(deserializeError(serializeError(error))), String(error));
  }
  const missing = await open(`${import.meta.filename}.missing`).catch((error: unknown) => error);
  for (const error of [missing, new AtelierError('worker-crashed', 'The thread crashed.'), null]) {
    assert.ok(!isStorageOutage(error), String(error));
  }
});

test('a name that a client chose is not taken for a lack of files', () => {
  for (const name of ['EMFILE', 'too many open files']) {
    const error = new AtelierError('unknown-dataset', `Data set ${name} no longer exists.`);
    assert.ok(!isStorageOutage(error));
    assert.ok(!isStorageOutage(serializeError(error)));
  }
});
