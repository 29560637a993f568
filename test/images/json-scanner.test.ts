import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonScanner } from '../../src/images/json-scanner.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

const scan = (text: string) => new JsonScanner(Buffer.from(text));

test('reads numbers as JSON.parse does, and nothing else', () => {
  for (const text of ['0', '7', '255', '256', '1000', '12345', '-0', '-3.5', '1e2', '2.5E-1', '0.5', '10']) {
    for (const end of [',', ']', ' ', '', '}'])
      assert.equal(scan(text + end).number(), JSON.parse(text), text + end);
  }
  for (const text of ['00', '01', '012', '0123', '1.', '.5', '+1', '1e', '-', 'NaN', '"1"', '', '1-2', '--1'])
    assert.ok(Number.isNaN(scan(`${text},`).number()), text);
});

test('a number that is not one is not consumed', () => {
  const scanner = scan(' 01 ');
  assert.ok(Number.isNaN(scanner.number()));
  assert.equal(scanner.peek(), '0');
  const fine = scan('\n\t\r 12 ,3');
  assert.deepEqual(
    [fine.number(), fine.take(','), fine.take(','), fine.number(), fine.peek()],
    [12, true, false, 3, ''],
  );
});

test('skips a mark of UTF-8, and reads strings', () => {
  const scanner = scan('\ufeff "a\\"é\\n" :');
  assert.deepEqual([scanner.string('a name'), scanner.take(':')], ['a"é\n', true]);
});

test('names the type of the next value', () => {
  const types = ['"a"', '{', '[', 'true', 'false', 'null', '-1'].map((text) =>
    scan(text).typeOfNext('a value'),
  );
  assert.deepEqual(types, [
    'a string',
    'an object',
    'an array',
    'a boolean',
    'a boolean',
    'null',
    'a number',
  ]);
});

for (const [text, read, message] of [
  [
    '1[',
    (s: JsonScanner) => s.string('a name'),
    'expected a name in double quotes at byte 0, but found "1["',
  ],
  [' {', (s: JsonScanner) => [s.take('{'), s.malformed('"}"')], 'expected "}" at byte 2, but found the end'],
  [
    '?0123456789abcdef',
    (s: JsonScanner) => s.typeOfNext('a value'),
    'expected a value at byte 0, but found "?0123456789a"',
  ],
] as const) {
  test(`rejects ${JSON.stringify(text)} with its place`, () => {
    assert.throws(
      () => read(scan(text)),
      (error) =>
        isAtelierError('malformed-body')(error) &&
        (error as Error).message === `The body is not valid JSON: ${message}.`,
    );
  });
}

test('a damaged string is rejected with its first byte', () => {
  for (const text of ['  "a', '  "\\x"', '  "\u0001"'])
    assert.throws(
      () => scan(text).string('a name'),
      isAtelierError(
        'malformed-body',
        /^The body is not valid JSON in UTF-8: a name at byte 2 is damaged\.$/,
      ),
    );
  const latin1 = new JsonScanner(Buffer.from('"\xe9"', 'latin1'));
  assert.throws(() => latin1.string('a name'), isAtelierError('malformed-body', /at byte 0 is damaged/));
});
