import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatApiKey, generateKey, parseApiKeys, sha256Bytes } from '../../src/domain/api-key.ts';

// printf %s atl_test | sha256sum
const HASH = '067001813136f21e0b5e65c1b0a97596f866f4367dc5df010a7b785ab29c21d2';
const OTHER = 'f'.repeat(64);

test('parses and formats keys with their names, scopes and hashes', () => {
  const text = `ci:predict+train:${HASH},laptop.2:admin:${OTHER}`;
  const keys = parseApiKeys(text.replace(',', ' ,\n '));
  assert.deepEqual(
    keys.map(({ name, scopes }) => [name, scopes]),
    [
      ['ci', ['predict', 'train']],
      ['laptop.2', ['admin']],
    ],
  );
  assert.deepEqual(keys[0]!.digest, sha256Bytes('atl_test'));
  assert.equal(keys.map(formatApiKey).join(), text);
});

test('an invalid entry is reported by its number and defect, without repeating it', () => {
  const cases: [entry: string, said: RegExp][] = [
    ['hunter2', /^entry 2 does not have the form name:scope\+scope:sha256-of-key$/],
    ['', /^entry 2 does not have the form/],
    ['hunter2:admin', /^entry 2 does not have the form/],
    [`hunter2:admin:${OTHER}:more`, /^entry 2 does not have the form/],
    [`Hunter2:admin:${OTHER}`, /^entry 2 has a name/],
    [`:admin:${OTHER}`, /^entry 2 has a name/],
    [`ops:hunter2:${OTHER}`, /^entry 2 has an unknown scope; use predict, train, promote, admin/],
    [`ops::${OTHER}`, /^entry 2 has an unknown scope/],
    [`ops:admin,train:${OTHER}`, /^entry 2 does not have the form/],
    ['ops:admin:hunter2', /^entry 2 does not end with 64 hexadecimal digits/],
    [`ops:admin:${OTHER}0`, /^entry 2 does not end/],
    [`ci:admin:${OTHER}`, /^entry 2 has the same name as an earlier entry$/],
    [`ops:admin:${HASH.toUpperCase()}`, /^entry 2 has the same hash as an earlier entry$/],
  ];
  for (const [entry, said] of cases) {
    assert.throws(
      () => parseApiKeys(`ci:predict:${HASH},${entry}`),
      ({ message, name }: Error) => {
        assert.match(message, said, entry);
        return name === 'RangeError' && !/hunter2/i.test(message);
      },
    );
  }
});

test('generated keys differ, are recognisable, and have 256 bits', () => {
  const [one, other] = [generateKey(), generateKey()];
  assert.match(one, /^atl_[\w-]{43}$/);
  assert.notEqual(one, other);
});
