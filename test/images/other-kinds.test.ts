import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOtherKind, identifyBody } from '../../src/images/other-kinds.ts';

test('a file of another kind is to be sent with its own type, if that is accepted', () => {
  assert.equal(
    describeOtherKind({ kind: 'an npy array', type: 'application/x-npy' }, 'raw pixels'),
    'This is an npy array, not raw pixels. Send it with `content-type: application/x-npy`.',
  );
  for (const file of [{ kind: 'a PDF document' }, { kind: 'a BMP image', type: 'image/bmp' }])
    assert.match(
      describeOtherKind(file, 'JSON'),
      new RegExp(
        `^This is ${file.kind}, not JSON\\. Send application/json, .*, or raw pixels as application/octet-stream\\.$`,
      ),
    );
});

test('an empty body is of no kind', () => {
  assert.equal(identifyBody(new Uint8Array()), undefined);
  assert.deepEqual(identifyBody(Buffer.from('%PDF-1.7'))?.kind, 'a PDF document');
});
