import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateRequestId } from '../../../../src/http/hooks/lifecycle/request-id.ts';

const idFor = (sent?: string | string[]) => generateRequestId({ headers: { 'x-request-id': sent } });

test('the id of the client is kept if it has up to 128 letters, digits and the signs of ids', () => {
  for (const id of ['a', 'Trace_1.b:c-d', 'x'.repeat(128)]) assert.equal(idFor(id), id);
});

test('every other request gets an id that looks like a UUID and occurs once', () => {
  const ids = [undefined, '', 'x'.repeat(129), 'a b', 'a\n', ['a', 'b']].map(idFor);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...new Set(ids.map((id) => id.slice(0, -12)))], [ids[0]!.slice(0, -12)]);
});

test('ids are hexadecimal, however many there are', () => {
  for (let n = 0; n < 40; n++) assert.match(idFor()!, /-[0-9a-f]{12}$/);
  assert.equal(parseInt(idFor().slice(-12), 16) + 1, parseInt(idFor().slice(-12), 16));
});
