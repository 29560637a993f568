import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import {
  decimalNumber,
  jsonText,
  namesText,
  newMetadataSchema,
  wholeNumber,
} from '../../src/domain/primitives.ts';

test('parses decimal digits as a whole number within the limits', () => {
  assert.deepEqual(
    ['1', '20', '100'].map((text) => wholeNumber(1, 100).parse(text)),
    [1, 20, 100],
  );
  assert.equal(wholeNumber(0).parse('0'), 0);
  assert.equal(wholeNumber(0).parse('9007199254740991'), Number.MAX_SAFE_INTEGER);
  assert.equal(wholeNumber(1, 100).prefault(20).parse(undefined), 20);
});

test('parses decimal digits as a number within the limits, and otherwise shows what was sent', () => {
  assert.equal(decimalNumber(0.5, 0.999).parse('0.95'), 0.95);
  for (const [text, shown] of [
    ['abc', '"abc"'],
    ['', '""'],
    ['1e-1', '"1e-1"'],
    ['-1', '"-1"'],
    ['0.25', '0.25'],
    ['1', '1'],
  ] as const) {
    assert.deepEqual(
      decimalNumber(0.5, 0.999)
        .safeParse(text)
        .error?.issues.map(({ message }) => message),
      [`must be a number from 0.5 to 0.999, but is ${shown}`],
    );
  }
});

test('rejects other text that JavaScript converts to a number, with one message', () => {
  const refused = [
    '',
    ' ',
    '02',
    '2.0',
    '1e1',
    '0x10',
    '+1',
    '-1',
    '1.5',
    'NaN',
    'Infinity',
    '٣',
    '0',
    '101',
    '9'.repeat(20),
    '9'.repeat(400),
  ];
  for (const text of refused) {
    assert.deepEqual(
      wholeNumber(1, 100)
        .safeParse(text)
        .error?.issues.map(({ message }) => message),
      ['must be a whole number from 1 to 100'],
      text,
    );
  }
});

test('rejects metadata with the character NUL or half of a surrogate pair, in names and in texts', () => {
  assert.deepEqual(newMetadataSchema.parse({ run: '😀' }), { run: '😀' });
  for (const part of ['\0', '\ud800', '\udc00x']) {
    const rule = part === '\0' ? /^must not contain the character NUL$/ : /^must be well-formed Unicode/;
    for (const metadata of [{ [part]: 'a' }, { a: part }])
      assert.match(newMetadataSchema.safeParse(metadata).error!.issues[0]!.message, rule);
  }
  // Two halves in different texts are no pair.
  assert.equal(newMetadataSchema.safeParse({ '\ud83d': '\ude00' }).success, false);
});

test('rejects text of JSON with a field named __proto__, which a record would drop', () => {
  const schema = jsonText(newMetadataSchema);
  assert.deepEqual(schema.parse('{"constructor":"x"}'), { constructor: 'x' });
  for (const text of ['{"__proto__":"x"}', '{"a":"b","\\u005f_proto__":"x"}', '{"a":{"__proto__":{}}}']) {
    const messages = schema.safeParse(text).error?.issues.map(({ message }) => message);
    assert.deepEqual(messages, ['must not have a field named __proto__'], text);
  }
});

test('names are separated by commas, or are a JSON array', () => {
  const schema = namesText(z.array(z.string()).min(1));
  assert.deepEqual(schema.parse('cat, dog ,t-shirt'), ['cat', 'dog', 't-shirt']);
  assert.deepEqual(schema.parse(' ["cat, wild", " dog"]'), ['cat, wild', ' dog']);
  for (const text of ['["cat"', '{cat', '"cat']) {
    const messages = schema.safeParse(text).error?.issues.map(({ message }) => message);
    assert.deepEqual(messages, ['must be names separated by commas, such as cat,dog, or a JSON array'], text);
  }
  assert.equal(schema.safeParse(['cat']).success, false);
});

test('metadata has up to 16 entries', () => {
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`, '']));
  assert.equal(newMetadataSchema.safeParse(entries(16)).success, true);
  assert.deepEqual(
    newMetadataSchema.safeParse(entries(17)).error?.issues.map(({ message }) => message),
    ['must have at most 16 entries'],
  );
});

test('names of metadata have up to 64 characters, and texts up to 256', () => {
  const isValid = (name: number, text: number) =>
    newMetadataSchema.safeParse({ ['n'.repeat(name)]: 't'.repeat(text) }).success;
  assert.deepEqual([isValid(1, 0), isValid(64, 256)], [true, true]);
  assert.deepEqual([isValid(0, 1), isValid(65, 1), isValid(1, 257)], [false, false, false]);
});

test('a whole number without a maximum has none in its message', () => {
  assert.equal(wholeNumber(1).safeParse('0').error?.issues[0]?.message, 'must be a whole number, at least 1');
});
