import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { AtelierError } from '../../../src/errors.ts';
import { findLimitViolation, parseJson, readJson } from '../../../src/formats/json/limits.ts';

const bytes = (text: string) => Buffer.from(text);
const bounds = { depth: 3, values: 5, parts: 4 };

test('counts levels, values and containers without parsing, and ignores strings', () => {
  for (const [text, excess] of [
    ['[[[1]]]', undefined],
    ['[[[[1]]]]', /deeper than 3/],
    ['[{"a":[{}]}]', /deeper than 3/],
    ['[1,2,3,4,5]', undefined],
    ['[1,2,3,4,5,6]', /more than 5 values/],
    ['["[[[[[[","{{{{",",,,,,,,"]', undefined],
    ['["\\"[[[[,,,,,,"]', undefined],
    ['[[],[],[],[]]', /more than 4 objects, arrays and strings/],
    ['{"a":"","b":"c"}', /more than 4/],
    [']]]]', undefined],
  ] as const) {
    const found = findLimitViolation(bytes(text), bounds);
    if (excess === undefined) assert.equal(found, undefined, text);
    else assert.match(found ?? '', excess, text);
  }
});

test('rejects a body of small arrays before it uses memory', () => {
  const body = bytes(`[${'[],'.repeat(2 ** 20)}[]]`);
  assert.throws(() => parseJson(body), /more than 1048576 objects, arrays and strings\. Send fewer images/);
});

test('counts images of 28×28×1 as images of 28×28', () => {
  const image = Array.from({ length: 28 }, (_, y) => Array.from({ length: 28 }, (_, x) => [y * x]));
  const flat = image.map((row) => row.flat());
  const count = 1400;
  const head = { shape: [7], columns: ['[5]'], inputs: { image: [] as unknown[] } };
  const text = (images: unknown) => bytes(JSON.stringify({ ...head, inputs: { image: images } }));
  const parsed = parseJson(text(new Array(count).fill(image)));
  assert.deepEqual(parsed, { ...head, inputs: { image: new Array(count).fill(flat) } });
  const few = new Array(2).fill(image);
  assert.deepEqual(parseJson(text(few)), { ...head, inputs: { image: few } }, 'few are not changed');
  // Arrays of one number only: others stay arrays.
  const other = [[[1, 2], [], ['3'], [null], [{}], [-4.5e-1], [[6]]]];
  const mixed = text([...new Array(count).fill(image), other]);
  const { inputs } = parseJson(mixed) as typeof head;
  assert.deepEqual(inputs.image.at(-1), [[[1, 2], [], ['3'], [null], [{}], -0.45, [6]]]);
});

test('advises to send images in colour flat if they are nested and too many', () => {
  const nested = new Array(32).fill(new Array(32).fill([1, 2, 3]));
  const flat = nested.flat(2);
  const text = (image: unknown, count: number) =>
    bytes(JSON.stringify({ instances: new Array(count).fill(image) }));
  const countImages = (body: Uint8Array) => (parseJson(body) as { instances: unknown[] }).instances.length;
  // An image has 32 rows and 1,024 pixels, and is an array itself.
  const most = Math.floor(2 ** 20 / 1057);
  assert.equal(countImages(text(nested, most)), most);
  assert.throws(
    () => parseJson(text(nested, most + 1)),
    /more than 1048576 objects, arrays and strings\. Send fewer images, or each of them as one array of numbers: nested, an image in colour has an array for each pixel\./,
  );
  assert.equal(countImages(text(flat, 5 * most)), 5 * most);
});

test('rejects invalid JSON, invalid UTF-8 and schema violations with the position', () => {
  const schema = z.object({ a: z.array(z.int()) });
  assert.deepEqual(readJson(bytes('{"a":[1]}'), schema), { a: [1] });
  assert.throws(() => readJson(bytes('{"a":[1}'), schema), /cannot be read as JSON/);
  assert.throws(() => readJson(Buffer.from([0x22, 0xff, 0x22]), schema), /not UTF-8/);
  assert.throws(
    () => readJson(bytes('{"a":[1,0.5]}'), schema),
    (error) =>
      error instanceof AtelierError && error.code === 'invalid-request' && /#\/a\/1: /.test(error.message),
  );
  const records = z.object({ a: z.record(z.string(), z.int()) });
  assert.throws(() => readJson(bytes('{"a":{"m/s~":0.5}}'), records), /#\/a\/m~1s~0: /);
});

test('lists at most 20 violations of a schema', () => {
  const schema = z.object({ a: z.array(z.int()) });
  const violations = (count: number) => {
    try {
      readJson(bytes(JSON.stringify({ a: new Array(count).fill(0.5) })), schema);
    } catch (error) {
      return (error as AtelierError).details;
    }
    return assert.fail('the body is valid');
  };
  assert.equal(violations(20).length, 20);
  assert.deepEqual(violations(21), violations(20));
  assert.deepEqual(violations(1), [{ pointer: '#/a/0', detail: 'Must be an integer, but is 0.5.' }]);
});
