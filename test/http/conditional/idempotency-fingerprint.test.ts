import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { computeFingerprint } from '../../../src/http/conditional/idempotency.ts';

const request = { method: 'POST', url: '/v1/training-jobs', caller: 'anonymous' };
const ofJson = (text: string) => computeFingerprint({ ...request, body: JSON.parse(text) });

test('a fingerprint is the SHA-256 of its documented input', () => {
  const text = '["POST","/v1/training-jobs","anonymous","json"]\n{"a":[2,{"x":null,"y":"é"}],"b":1}';
  const expected = createHash('sha256').update(text, 'utf8').digest('hex');
  assert.equal(ofJson('{ "b": 1.0, "a": [2e0, {"y": "\\u00e9", "x": null}] }'), expected);
});

test('equivalent JSON has the same fingerprint', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)] as const);
    return Object.fromEntries(entries.toReversed());
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(ofJson(JSON.stringify(reversed(value), null, 2)), ofJson(JSON.stringify(value)));
    }),
  );
});

test('different JSON has a different fingerprint', () => {
  const texts = [
    '{}',
    '[]',
    'null',
    '{"a":1}',
    '{"a":"1"}',
    '{"a":[1]}',
    '{"a":null}',
    '{"A":1}',
    '[1,2]',
    '[2,1]',
    '""',
  ];
  assert.equal(new Set(texts.map(ofJson)).size, texts.length);
});

test('method, path, query, caller and raw bytes change the fingerprint', () => {
  const body = { a: 1 };
  const prints = [
    { ...request, body },
    { ...request, body: undefined },
    { ...request, method: 'PUT', body },
    { ...request, url: '/v1/training-jobs/job_1/verify', body },
    { ...request, url: '/v1/training-jobs?name=a', body },
    { ...request, caller: 'other', body },
    { ...request, body: Buffer.from('{"a":1}') },
    { ...request, body: new Uint8Array([1, 2, 3]) },
    { ...request, body: new Uint8Array([1, 2, 4]) },
  ].map(computeFingerprint);
  assert.equal(new Set(prints).size, prints.length);
  assert.equal(computeFingerprint({ ...request, body: Buffer.from([1, 2, 3]) }), prints[7]);
});
