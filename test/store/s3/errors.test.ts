import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { isTransient, readElement, S3Error, toStorageError } from '../../../src/store/s3/errors.ts';
import { failure } from '../fixtures.ts';

const response = (status: number, code?: string) =>
  new S3Error(status, code === undefined ? 'a proxy' : `<Error><Code>${code}</Code></Error>`);

test('reads the code of a response, or names its status', () => {
  assert.deepEqual(
    [response(404, 'NoSuchKey').code, response(404, 'NoSuchKey').message],
    ['NoSuchKey', 'NoSuchKey'],
  );
  assert.deepEqual([response(502).status, response(502).code], [502, 'status 502']);
  assert.equal(readElement('<a><b>1</b><b>2</b></a>', 'b'), '1');
  assert.equal(readElement('<a/>', 'b'), undefined);
});

test('repeats what may succeed later', () => {
  const network = new TypeError('fetch failed');
  for (const error of [
    network,
    response(500),
    response(503),
    response(429),
    response(400, 'RequestTimeout'),
  ]) {
    assert.ok(isTransient(error), String(error));
  }
  const own = new AtelierError('storage-full', 'Full.');
  for (const error of [own, response(507), response(499), response(403, 'AccessDenied'), response(404)]) {
    assert.ok(!isTransient(error), String(error));
  }
});

test('names the reason, and advises what the operator can do', () => {
  const advised: readonly (readonly [string, string])[] = [
    ['AccessDenied', 'Allow the key'],
    ['AuthorizationHeaderMalformed', 'region'],
    ['ExpiredToken', 'new credentials'],
    ['InvalidAccessKeyId', 'Check AWS_ACCESS_KEY_ID'],
    ['InvalidToken', 'Check AWS_SESSION_TOKEN'],
    ['NoSuchBucket', 'Create the bucket'],
    ['PermanentRedirect', 'region'],
    ['RequestTimeTooSkewed', 'clock'],
    ['SignatureDoesNotMatch', 'AWS_SECRET_ACCESS_KEY'],
    ['SlowDown', 'Try again shortly'],
  ];
  for (const [code, advice] of advised) {
    const error = toStorageError(response(403, code));
    assert.ok(failure('storage-unavailable', `cannot be used (${code}).`, advice)(error), code);
    assert.equal(error.retryAfterSeconds, 5);
  }
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  for (const [error, reason] of [
    [new TypeError('fetch failed', { cause: refused }), 'ECONNREFUSED'],
    [refused, 'ECONNREFUSED'],
    [new DOMException('late', 'TimeoutError'), 'no response in time'],
    [new TypeError('fetch failed'), 'the connection failed'],
    ['text', 'the connection failed'],
  ] as const) {
    assert.ok(failure('storage-unavailable', `cannot be used (${reason}).`)(toStorageError(error)), reason);
  }
  assert.ok(failure('storage-full', 'is full')(toStorageError(response(507))));
  const own = new AtelierError('state-unusable', 'Damaged.');
  assert.equal(toStorageError(own), own);
});
