import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateRequestId } from '../../../../src/http/hooks/lifecycle/request-id.ts';

test('the id of the client is kept if it is short and plain', () => {
  for (const sent of ['a', 'trace-1.2_3:4', 'x'.repeat(128)]) {
    assert.equal(generateRequestId({ headers: { 'x-request-id': sent } }), sent);
  }
});

test('a request without a valid id gets a unique one that the service would accept', () => {
  const unusable = [undefined, '', 'a b', '"', 'x'.repeat(129)];
  const ids = unusable.map((sent) => generateRequestId({ headers: { 'x-request-id': sent } }));
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.equal(generateRequestId({ headers: { 'x-request-id': id } }), id);
});
