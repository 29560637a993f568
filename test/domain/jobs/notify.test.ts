import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeSecret,
  newDelivery,
  notifySchema,
  SECRET_RULE,
  URL_RULE,
} from '../../../src/domain/jobs/notify.ts';

const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;

test('a secret has 24 to 64 bytes in base64 after its prefix', () => {
  for (const bytes of [24, 25, 26, 64]) {
    assert.deepEqual(decodeSecret(secretOf(bytes)), new Uint8Array(bytes).fill(7), `${bytes} bytes`);
  }
  const valid = secretOf(25);
  for (const secret of [
    secretOf(23),
    secretOf(65),
    'whsec_',
    valid.slice('whsec_'.length),
    valid.slice(0, -1),
    `${valid}====`,
    valid.replace('B', '-'),
    // Spare bits of the last character must be 0.
    valid.replace('w==', 'x=='),
  ])
    assert.equal(decodeSecret(secret), null, secret);
});

const messages = (value: unknown) =>
  notifySchema.safeParse(value).error?.issues.map(({ message }) => message);

test('the receiver is an http or https URL without credentials and fragment', () => {
  const secret = secretOf(32);
  for (const url of [
    'https://h.example/a?b=c',
    'HTTP://10.0.0.1:8080',
    `https://h.example/${'a'.repeat(2030)}`,
  ])
    assert.equal(messages({ url, secret }), undefined, url);
  for (const url of [
    'ftp://h.example',
    'h.example',
    'https://',
    'https://h.example/#',
    'https://u@h.example',
    'https://:p@h.example',
  ])
    assert.deepEqual(messages({ url, secret }), [URL_RULE], url);
  assert.equal(messages({ url: `https://h.example/${'a'.repeat(2031)}`, secret })?.length, 1);
});

test('messages name the rule, and never the secret', () => {
  const url = 'https://h.example';
  assert.deepEqual(messages({ url, secret: 'whsec_secret' }), [SECRET_RULE]);
  assert.deepEqual(messages({ url }), [SECRET_RULE]);
  assert.deepEqual(messages(url), ['must be an object with `url` and `secret`']);
});

test('a new delivery has made no attempt', () => {
  assert.deepEqual(newDelivery('https://h.example'), {
    ...{ url: 'https://h.example', deliveredAt: null, attempts: 0, lastError: null, nextAttemptAt: null },
  });
});
