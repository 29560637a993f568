import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readImages } from '../../src/images/json-body.ts';
import { holdsEncodedImages, readEncodedJson } from '../../src/images/json-encoded.ts';
import { JsonScanner } from '../../src/images/json-scanner.ts';
import { isAtelierError } from '../datasets/fixtures.ts';

/** Reads images that are single numbers, and their pointers. */
function read(text: string): [pointer: string, number: number][] {
  const found: [string, number][] = [];
  const scanner = new JsonScanner(Buffer.from(text));
  readImages(scanner, (pointer) => found.push([pointer, scanner.number()]));
  return found;
}

test('reads one image, or a list of images', () => {
  assert.deepEqual(read(' { "image" : 5 } '), [['#/image', 5]]);
  assert.deepEqual(read('{"images":[1, 2 ]}'), [
    ['#/images/0', 1],
    ['#/images/1', 2],
  ]);
});

const SHAPE = 'the body must be { "image": … } or { "images": […] }';
for (const [text, code, message] of [
  ['7', 'invalid-request', `# is a number; ${SHAPE}.`],
  ['[]', 'invalid-request', `# is an array; ${SHAPE}.`],
  ['{}', 'invalid-request', `# is empty; ${SHAPE}.`],
  ['{"images":{}}', 'invalid-request', '#/images is an object; images must be an array of images.'],
  ['{"images":[]}', 'invalid-request', '#/images is empty; send at least one image.'],
  ['{"a/~b":1}', 'invalid-request', '#/a~1~0b is an unknown field; the fields are image and images.'],
  [
    `{"${'x'.repeat(65)}":1}`,
    'invalid-request',
    `#/${'x'.repeat(64)} is an unknown field; the fields are image and images.`,
  ],
  [
    '{"image":1,"images":[2]}',
    'invalid-request',
    '#/images is an unexpected second field; send either image or images.',
  ],
  ['{"__proto__":1}', 'malformed-body', 'The body has a field named __proto__; it is not allowed.'],
  ['{"image" 1}', 'malformed-body', 'The body is not valid JSON: expected ":" at byte 9, but found "1}".'],
  [
    '{"images":[1 2]}',
    'malformed-body',
    'The body is not valid JSON: expected "," or "]" at byte 13, but found "2]}".',
  ],
  ['{"image":1', 'malformed-body', 'The body is not valid JSON: expected "}" at byte 10, but found the end.'],
  [
    '{"image":1}?',
    'malformed-body',
    'The body is not valid JSON: expected the end at byte 11, but found "?".',
  ],
  [
    '{"images":',
    'malformed-body',
    'The body is not valid JSON: expected a value for #/images at byte 10, but found the end.',
  ],
] as const) {
  test(`rejects ${text.slice(0, 40)}`, () => {
    assert.throws(
      () => read(text),
      (error) => {
        assert.ok(isAtelierError(code)(error));
        assert.equal((error as Error).message, message);
        return true;
      },
    );
  });
}

test('encoded images are told from numbers by the first one', () => {
  for (const [text, isEncoded] of [
    ['{"image":"data:"}', true],
    ['\ufeff { "image" : { "b64"', true],
    ['{"images":[ "data:"', true],
    ['{"images": {"b64"', true],
    ['{"image":[1', false],
    ['{"images":[[1', false],
    ['{"other":"data:"', false],
  ] as const)
    assert.equal(holdsEncodedImages(Buffer.from(text)), isEncoded, text);
});

const ONE = '{"b64":"AQI="}';

test('reads Base64 and data URLs with their pointers', () => {
  const images = readEncodedJson(Buffer.from(`{"images":["data:image/png;base64,AQ==",${ONE}]}`));
  assert.deepEqual(images, [
    { kind: 'encoded', bytes: Buffer.of(1), pointer: '#/images/0' },
    { kind: 'encoded', bytes: Buffer.of(1, 2), pointer: '#/images/1' },
  ]);
});

const ENCODED = 'an encoded image must be a data URL, or { "b64": "…" }';
for (const [images, message] of [
  ['[1]', 'is an array, but other images are encoded; send all in one way'],
  ['1', `is a number; ${ENCODED}`],
  ['{}', `must have the field b64; ${ENCODED}`],
  ['{"url":"a"}', `must have the field b64; ${ENCODED}`],
  ['{"b64":"AQ==","a":1}', 'must have no field besides b64'],
] as const) {
  test(`rejects the encoded image ${images}`, () => {
    assert.throws(
      () => readEncodedJson(Buffer.from(`{"images":[${ONE},${images}]}`)),
      (error) =>
        isAtelierError('invalid-request')(error) && (error as Error).message === `#/images/1 ${message}.`,
    );
  });
}

test('a request has at most 1,000 encoded images', () => {
  const body = (count: number) => Buffer.from(`{"images":[${new Array(count).fill(ONE).join()}]}`);
  assert.equal(readEncodedJson(body(1000)).length, 1000);
  assert.throws(
    () => readEncodedJson(body(1001)),
    isAtelierError(
      'invalid-request',
      /^#\/images holds more than 1000 encoded images, the limit\. Send fewer, or/,
    ),
  );
});

test('an encoded image is an object to its end', () => {
  for (const text of ['{"b64":"AQI="]', '{"b64" "AQI="}', '{"b64":"AQI="'])
    assert.throws(
      () => readEncodedJson(Buffer.from(`{"images":[${text}]}`)),
      isAtelierError('malformed-body'),
    );
});
