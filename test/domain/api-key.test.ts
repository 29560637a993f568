import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  daysUntilExpiry,
  formatApiKey,
  generateKey,
  includesScope,
  parseApiKeyLines,
  parseApiKeys,
  sha256Bytes,
} from '../../src/domain/api-key.ts';

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
    [`hunter2:admin:${OTHER}:2027-01-31:more`, /^entry 2 does not have the form/],
    [`ops:admin:${OTHER}:hunter2`, /^entry 2 must end with its last day, a date such as 2027-01-31$/],
    [`ops:admin:${OTHER}:2027-02-29`, /^entry 2 must end with its last day, a date/],
    [`ops:admin:${OTHER}:2027-1-31`, /^entry 2 must end with its last day, a date/],
    [`ops:admin:${OTHER}:`, /^entry 2 must end with its last day, a date/],
    [`Hunter2:admin:${OTHER}`, /^entry 2 has a name/],
    [`:admin:${OTHER}`, /^entry 2 has a name/],
    [`ops:hunter2:${OTHER}`, /^entry 2 has an unknown scope; use predict, train, promote, admin/],
    [`ops::${OTHER}`, /^entry 2 has an unknown scope/],
    [`ops:admin,train:${OTHER}`, /^entry 2 does not have the form/],
    ['ops:admin:hunter2', /^entry 2 has a hash that is not 64 hexadecimal digits/],
    [`ops:admin:${OTHER}0`, /^entry 2 has a hash/],
    [`ci:admin:${OTHER}`, /^entry 2 has the same name as an earlier key$/],
    [`ops:admin:${HASH.toUpperCase()}`, /^entry 2 has the same hash as an earlier key$/],
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

test('a key with a last day is valid through that day in UTC', () => {
  const text = `ci:train:${HASH}:2028-02-29`;
  const [key] = parseApiKeys(text);
  assert.equal(formatApiKey(key!), text);
  const days = (time: string) => daysUntilExpiry(key!, Date.parse(time));
  assert.equal(days('2028-02-29T00:00:00Z'), 1);
  assert.equal(days('2028-02-29T23:59:59.999Z'), 1);
  assert.equal(days('2028-03-01T00:00:00Z'), 0);
  assert.equal(days('2028-02-01T12:00:00Z'), 29);
  assert.equal(daysUntilExpiry(parseApiKeys(`ci:train:${HASH}`)[0]!, Date.now()), Infinity);
});

test('parses lines with comments, and reports the line of a defect without the entry', () => {
  const text = `\uFEFF# team\r\n\n  ci:train:${HASH} # until spring\r\n#old:admin:${OTHER}\nops:admin:${OTHER}:2027-01-31`;
  const keys = parseApiKeyLines(text, []);
  assert.deepEqual(
    keys.map(({ name, lastDay }) => [name, lastDay]),
    [
      ['ci', undefined],
      ['ops', '2027-01-31'],
    ],
  );
  assert.deepEqual(parseApiKeyLines('# none\n\n', []), []);
  for (const [line, others, reason] of [
    ['hunter2', [], /^line 3 does not have the form/],
    [`a:admin:${OTHER},b:admin:${HASH}`, [], /^line 3 does not have the form/],
    [`ci:admin:${OTHER}`, keys, /^line 3 has the same name as an earlier key$/],
    [`b:admin:${OTHER}`, keys, /^line 3 has the same hash as an earlier key$/],
  ] as const) {
    assert.throws(
      () => parseApiKeyLines(`# keys\n\n${line}\n`, others),
      ({ message }: Error) =>
        reason.test(message) && !message.includes('hunter2') && !message.includes(OTHER),
      line,
    );
  }
});

test('generated keys differ, are recognisable, and have 256 bits', () => {
  const [one, other] = [generateKey(), generateKey()];
  assert.match(one, /^atl_[\w-]{43}$/);
  assert.notEqual(one, other);
});

test('a scope includes those before it', () => {
  assert.deepEqual(
    [
      includesScope(['train'], 'predict'),
      includesScope(['train'], 'train'),
      includesScope(['train'], 'admin'),
    ],
    [true, true, false],
  );
  assert.equal(includesScope(['predict', 'promote'], 'train'), true);
  assert.equal(includesScope([], 'predict'), false);
});

test('allows 1,000 keys', () => {
  const keys = (count: number) =>
    Array.from({ length: count }, (_, n) => `k${n}:train:${n.toString(16).padStart(64, '0')}`).join();
  assert.equal(parseApiKeys(keys(1000)).length, 1000);
  assert.throws(() => parseApiKeys(keys(1001)), /entry 1001 is too many: 1000 keys are allowed$/);
});
