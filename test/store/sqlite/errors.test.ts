import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { isBusy, toStateError, withNamedErrors } from '../../../src/store/sqlite/errors.ts';
import { failure } from '../fixtures.ts';

const sqliteError = (errcode: number) => Object.assign(new Error('as SQLite says'), { errcode });
const ADVICE: readonly (readonly [errcode: number, advice: string])[] = [
  [5, 'Close the other program that is using it.'],
  [8, 'Check the owner and permissions'],
  [10, 'Check the disk.'],
  [11, 'Restore it from a backup'],
  [13, 'Free some space on the disk.'],
  [14, 'Check the owner and permissions'],
  [26, 'Restore it from a backup'],
];

test('an error of the database file gives advice by its primary code', () => {
  for (const [errcode, advice] of ADVICE) {
    // The upper bits hold the extended code.
    for (const code of [errcode, errcode | (3 << 8)]) {
      const error = toStateError('/state/a.sqlite', sqliteError(code));
      const message = '/state/a.sqlite cannot be used: as SQLite says.';
      assert.ok(failure('state-unusable', message, advice)(error), `${code}: ${error.message}`);
    }
  }
  for (const other of [sqliteError(1), new Error('no code'), 'a text']) {
    assert.match(toStateError('a', other).message, /Restore it from a backup/);
  }
  const own = new AtelierError('state-locked', 'Locked.');
  assert.equal(toStateError('a', own), own);
});

test('a statement reports failures of the disk by name, and its own errors unchanged', () => {
  const run = (error: Error) =>
    withNamedErrors(() => {
      throw error;
    });
  assert.throws(() => run(sqliteError(13)), failure('storage-full', 'the change could not be stored'));
  assert.throws(() => run(sqliteError(266)), failure('state-unusable', 'The database cannot be used'));
  for (const defect of [sqliteError(1), new Error('no such table')]) {
    assert.throws(
      () => run(defect),
      (error) => error === defect,
    );
  }
  assert.equal(
    withNamedErrors(() => 3),
    3,
  );
});

test('only the code 5 means that another program uses the database', () => {
  const errors = [sqliteError(5), sqliteError(261), sqliteError(6), new Error('busy'), null];
  assert.deepEqual(errors.map(isBusy), [true, true, false, false, false]);
});
