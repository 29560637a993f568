import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import type { ErrorCode } from '../../../src/errors.ts';
import { npyBytes } from '../../../src/formats/arrays/npy.ts';
import { readImages } from '../../../src/http/bodies/images.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { assertProblem, startService, testImage, train } from '../../support/start-service.ts';
import { encodeForm } from '../import-file.ts';
import { formRequest } from './form-request.ts';

const MAX_BODY_BYTES = 300 * 1024;
const { app } = await startService({ after }, { MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
await train(app);
const png = await testImage(app, 0, 'image/png');
const npy = npyBytes(new Uint8Array(784), [28, 28]);
const large = await sharp({ create: { width: 29, height: 28, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const bigEndian = await readFile(new URL('../../fixtures/npy/big-endian.npy', import.meta.url));
const object = await readFile(new URL('../../fixtures/npy/object.npy', import.meta.url));

function send(type: string | undefined, payload: Uint8Array | string | undefined, query = '') {
  return app.inject({
    method: 'POST',
    url: `/v1/models/fashion-mnist/predictions${query}`,
    headers: type === undefined ? {} : { 'content-type': type },
    ...(payload !== undefined && { payload: typeof payload === 'string' ? payload : Buffer.from(payload) }),
  });
}

/** A complete 28×28 PNG whose header claims another size. */
function claiming(width: number, height: number): Uint8Array {
  const bomb = Buffer.from(png);
  const header = bomb.indexOf('IHDR');
  bomb.writeUInt32BE(width, header + 4);
  bomb.writeUInt32BE(height, header + 8);
  bomb.writeUInt32BE(crc32(bomb.subarray(header, header + 17)), header + 17);
  return bomb;
}

function npyHeader(shape: string, descr = "'|u1'"): Uint8Array {
  const text = `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(text)]);
}

const BOUNDARY = 'multipart/form-data; boundary=b';
const part = (type: string, bytes: string, name = 'name="file"; filename="f"') =>
  `--b\r\nContent-Disposition: form-data; ${name}\r\nContent-Type: ${type}\r\n\r\n${bytes}\r\n`;
const zeros = (count: number) => new Array(count).fill(0);
const image = (value: unknown) => JSON.stringify({ image: [...zeros(783), value] });

const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';
const NPY = 'application/x-npy';
type Case = [
  title: string,
  type: string | undefined,
  body: Uint8Array | string | undefined,
  status: number,
  code: ErrorCode,
  pointer?: string,
];
const cases: Case[] = [
  ['no body', undefined, undefined, 400, 'malformed-body'],
  ['no content type', undefined, new Uint8Array(784), 415, 'unsupported-media-type'],
  ['a type that is not taken', 'image/gif', 'GIF89a', 415, 'unsupported-media-type'],
  ['text', 'text/plain', 'shoe', 415, 'unsupported-media-type'],
  ['an invalid type', '/', 'x', 415, 'unsupported-media-type'],

  ['empty JSON', JSON_TYPE, '', 400, 'malformed-body'],
  ['JSON that ends in the middle', JSON_TYPE, '{"image":[1,2', 400, 'malformed-body'],
  ['NaN in JSON', JSON_TYPE, image(0).replace('0', 'NaN'), 400, 'malformed-body'],
  ['JSON and more', JSON_TYPE, `${image(0)}x`, 400, 'malformed-body'],
  ['invalid UTF-8', JSON_TYPE, Buffer.from('{"im\xff":1}', 'latin1'), 400, 'malformed-body'],
  ['100,000 brackets', JSON_TYPE, `{"image":${'['.repeat(1e5)}`, 400, 'invalid-request'],
  ['a prototype', JSON_TYPE, '{"__proto__":{"image":[]}}', 400, 'malformed-body'],
  ['a list', JSON_TYPE, '[]', 400, 'invalid-request', '#'],
  ['no field', JSON_TYPE, '{}', 400, 'invalid-request', '#'],
  ['an unknown field', JSON_TYPE, '{"pixels":[]}', 400, 'invalid-request', '#/pixels'],
  ['both fields', JSON_TYPE, `${image(0).slice(0, -1)},"images":[]}`, 400, 'invalid-request', '#/images'],
  ['no images', JSON_TYPE, '{"images":[]}', 400, 'invalid-request', '#/images'],
  ['an image that is text', JSON_TYPE, '{"images":["shoe"]}', 400, 'invalid-request', '#/images/0'],
  ['a pixel that is text', JSON_TYPE, image('9'), 400, 'invalid-request', '#/image/783'],
  ['a pixel that is null', JSON_TYPE, image(null), 400, 'invalid-request', '#/image/783'],
  ['a pixel above 255', JSON_TYPE, image(256), 422, 'invalid-pixels', '#/image/783'],
  ['a pixel below 0', JSON_TYPE, image(-1), 422, 'invalid-pixels', '#/image/783'],
  ['a pixel of 1e999', JSON_TYPE, image(0).replace(/0]/, '1e999]'), 422, 'invalid-pixels', '#/image/783'],
  ['783 numbers', JSON_TYPE, JSON.stringify({ image: zeros(783) }), 422, 'invalid-image-size', '#/image'],
  [
    '27 rows',
    JSON_TYPE,
    JSON.stringify({ image: new Array(27).fill(zeros(28)) }),
    422,
    'invalid-image-size',
    '#/image',
  ],
  [
    'a row of 29',
    JSON_TYPE,
    JSON.stringify({ images: [[...new Array(27).fill(zeros(28)), zeros(29)]] }),
    422,
    'invalid-image-size',
    '#/images/0/27',
  ],
  ['fractions up to 1', JSON_TYPE, image(0.5), 422, 'ambiguous-pixel-range', 'pixels'],

  ['no bytes', BYTES, '', 422, 'invalid-image-size'],
  ['785 bytes', BYTES, new Uint8Array(785), 422, 'invalid-image-size'],

  ['an empty npy', NPY, '', 400, 'malformed-body'],
  ['text instead of npy', NPY, 'x'.repeat(900), 400, 'malformed-body'],
  ['a truncated npy', NPY, npy.subarray(0, -1), 400, 'malformed-body'],
  ['a truncated npy header', NPY, npy.subarray(0, 40), 400, 'malformed-body'],
  ['an npy of 10^12 elements', NPY, npyHeader('(1000000000000,)'), 400, 'malformed-body'],
  ['an npy of 10^12 images', NPY, npyHeader('(1000000000000, 784)'), 400, 'malformed-body'],
  [
    'an npy whose elements overflow',
    NPY,
    npyHeader('(9007199254740991, 9007199254740991)'),
    400,
    'malformed-body',
  ],
  ['a big-endian npy', NPY, bigEndian, 400, 'malformed-body'],
  ['an npy of objects', NPY, object, 400, 'malformed-body'],
  ['an npy of no image', NPY, npyHeader('(0, 784)'), 422, 'invalid-image-size'],
  ['an npy of another size', NPY, npyBytes(new Uint8Array(900), [30, 30]), 422, 'invalid-image-size'],
  ['an npy with NaN', NPY, npyBytes(new Float32Array(784).fill(Number.NaN), [784]), 422, 'invalid-pixels'],
  ['an npy with infinity', NPY, npyBytes(new Float64Array(784).fill(1 / 0), [784]), 422, 'invalid-pixels'],
  ['an npy above 255', NPY, npyBytes(new Float32Array(784).fill(256), [784]), 422, 'invalid-pixels'],

  ['an empty image', 'image/png', '', 400, 'undecodable-image'],
  ['a truncated PNG', 'image/png', png.subarray(0, -20), 400, 'undecodable-image'],
  ['a truncated PNG header', 'image/png', png.subarray(0, 20), 400, 'undecodable-image'],
  ['text instead of a PNG', 'image/png', 'PNG', 400, 'undecodable-image'],
  [
    'an SVG with the type of a PNG',
    'image/png',
    '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"/>',
    400,
    'undecodable-image',
  ],
  ['a PNG of 29×28', 'image/png', large, 422, 'invalid-image-size'],
  ['a JPEG of 29×28', 'image/jpeg', await sharp(large).jpeg().toBuffer(), 422, 'invalid-image-size'],
  ['a WebP of 29×28', 'image/webp', await sharp(large).webp().toBuffer(), 422, 'invalid-image-size'],
  ['a PNG that claims 30,000×30,000', 'image/png', claiming(30_000, 30_000), 422, 'invalid-image-size'],

  ['a form without a boundary', 'multipart/form-data', 'x', 400, 'malformed-body'],
  ['text instead of a form', BOUNDARY, 'x', 400, 'malformed-body'],
  ['a form without a file', BOUNDARY, '--b--\r\n', 400, 'malformed-body'],
  ['a form that ends in a file', BOUNDARY, part(BYTES, 'x').slice(0, -2), 400, 'malformed-body'],
  [
    'a form with a field',
    BOUNDARY,
    `${part('text/plain', '3', 'name="topK"')}--b--\r\n`,
    400,
    'malformed-body',
  ],
  [
    'a form with a prototype',
    BOUNDARY,
    `${part(BYTES, 'x', 'name="__proto__"; filename="f"')}--b--\r\n`,
    400,
    'malformed-body',
  ],
  [
    'a form with a PDF',
    BOUNDARY,
    `${part('application/pdf', '%PDF')}--b--\r\n`,
    415,
    'unsupported-media-type',
  ],
  ['a form with a wrong file', BOUNDARY, `${part(BYTES, 'x')}--b--\r\n`, 422, 'invalid-image-size'],
  [
    'a form with an undecodable image',
    BOUNDARY,
    `${part('image/png', 'x')}--b--\r\n`,
    400,
    'undecodable-image',
  ],
  ['a form with wrong JSON', BOUNDARY, `${part(JSON_TYPE, '{')}--b--\r\n`, 400, 'malformed-body'],
  ['an image of the type image/jpg', 'image/jpg', large, 422, 'invalid-image-size'],
  ['a form of 1,001 files', BOUNDARY, `${part(BYTES, 'x').repeat(1001)}--b--\r\n`, 413, 'body-too-large'],
  [
    'a file that is too large',
    BOUNDARY,
    `${part(BYTES, 'x'.repeat(MAX_BODY_BYTES + 1))}--b--\r\n`,
    413,
    'body-too-large',
  ],
  [
    'files that are too large together',
    BOUNDARY,
    `${part(BYTES, 'x'.repeat(MAX_BODY_BYTES / 2)).repeat(3)}--b--\r\n`,
    413,
    'body-too-large',
  ],
];
for (const type of [JSON_TYPE, BYTES, NPY, 'image/png', 'image/jpeg', 'image/webp']) {
  cases.push([`too many bytes of ${type}`, type, new Uint8Array(MAX_BODY_BYTES + 1), 413, 'body-too-large']);
}

for (const [title, type, body, status, code, pointer] of cases) {
  test(`rejects ${title} as ${code}`, async () => {
    assertProblem(await send(type, body), status, code, pointer);
  });
}

test('an error names what is allowed', async () => {
  const said = async (type: string, body: Uint8Array | string) => (await send(type, body)).json().detail;
  assert.match(
    await said('image/gif', 'GIF89a'),
    /image\/gif is not supported\. Allowed: application\/json, .*multipart/,
  );
  assert.match(await said(BYTES, new Uint8Array(785)), /785 bytes are not a whole number of images.*784/);
  for (const type of [BYTES, NPY, 'image/png', 'image/webp'])
    assert.match(await said(type, ''), /is empty/, type);
  assert.match(await said(NPY, bigEndian), /big-endian; save it with \.astype/);
  assert.match(await said(JSON_TYPE, image(0.5)), /\?pixels=0-1/);
  assert.match(await said('image/png', large), /29×28 pixels, but must have 28×28/);
  assert.match(
    await said(BYTES, new Uint8Array(MAX_BODY_BYTES + 1)),
    new RegExp(`larger than the limit of ${MAX_BODY_BYTES} bytes`),
  );
  assert.match(
    await said(BOUNDARY, `${part('text/plain', '3', 'name="topK"')}--b--\r\n`),
    /field that is not a file.*query/,
  );
});

const bmp = Buffer.concat([
  Buffer.from('BM\x66\x09\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0', 'latin1'),
  new Uint8Array(2388),
]);
const CURL_TYPE = 'application/x-www-form-urlencoded';

test('names the kind of a file that was sent as another one, and what to send', async () => {
  const gif = await sharp(png).gif().toBuffer();
  const other = (kind: string) =>
    new RegExp(
      `This is ${kind}, not raw pixels\\. Send application/json, .*image/png.* or raw pixels as application/octet-stream\\.`,
    );
  const cases: readonly [type: string, body: Uint8Array | string, status: number, detail: RegExp][] = [
    [BYTES, png, 422, /^This is a PNG image, not raw pixels\. Send it with `content-type: image\/png`\.$/],
    [BYTES, npy, 422, /an npy array, not raw pixels\. Send it with `content-type: application\/x-npy`/],
    [BYTES, image(0), 422, /This is JSON, not raw pixels\. Send it with `content-type: application\/json`/],
    [BYTES, bmp, 422, other('a BMP image')],
    [BYTES, gif, 422, other('a GIF image')],
    [BYTES, 'a shoe', 422, other('text')],
    [JSON_TYPE, png, 400, /^This is a PNG image, not JSON\. Send it with `content-type: image\/png`\.$/],
    [JSON_TYPE, 'shoe', 400, /not valid JSON: expected .* at byte 0, but found "shoe"/],
    [NPY, png, 400, /it is a PNG image, not an \.npy file/],
  ];
  for (const [type, body, status, detail] of cases) {
    const response = await send(type, body);
    assert.equal(response.statusCode, status, response.body);
    assert.match(response.json().detail, detail);
  }
});

test('names the kind of a file in a form', async () => {
  const heic = Buffer.from(`\0\0\0\x18ftypheic${'\0'.repeat(20)}`, 'latin1');
  for (const [bytes, kind] of [
    [bmp, 'a BMP image'],
    [heic, 'a HEIC image'],
    [Buffer.from('a shoe'), 'text'],
  ] as const) {
    const { status, detail } = (
      await send(BOUNDARY, Buffer.from(`${part(BYTES, bytes.toString('latin1'))}--b--\r\n`, 'latin1'))
    ).json();
    assert.equal(status, 422);
    assert.match(detail, new RegExp(`^File f: This is ${kind}, not raw pixels\\. Send `));
  }
});

test("curl's default content type gets the header to add, by the signature of the body", async () => {
  const cases: readonly [body: Uint8Array | string, detail: RegExp][] = [
    [png, /With curl, add -H 'content-type: image\/png'\.$/],
    [npy, /With curl, add -H 'content-type: application\/x-npy'\.$/],
    [image(0), /With curl, add -H 'content-type: application\/json'\.$/],
    [bmp, /Allowed: application\/json, .*The body is a BMP image\.$/],
    [new Uint8Array(784), /With curl, add the type of the body, as in -H 'content-type: /],
  ];
  for (const [body, detail] of cases) {
    const problem = assertProblem(await send(CURL_TYPE, body), 415, 'unsupported-media-type');
    assert.match(problem.detail, /^The content type application\/x-www-form-urlencoded is not supported/);
    assert.match(problem.detail, detail);
  }
  const post = (url: string) =>
    app.inject({ method: 'POST', url, headers: { 'content-type': CURL_TYPE }, payload: '{}' });
  const json = assertProblem(await post('/v1/training-jobs'), 415, 'unsupported-media-type');
  assert.match(json.detail, /With curl, add -H 'content-type: application\/json'\.$/);
  const form = assertProblem(await post('/v1/datasets'), 415, 'unsupported-media-type');
  assert.match(form.detail, /With curl, send a form: -F file=@NAME\.$/);
});

test('rejects a form with too many pixels before decoding any of them', async () => {
  const send = async (count: number) => {
    const data = new FormData();
    // The header claims the largest size, so the image cannot be decoded.
    const picture = new Blob([claiming(4096, 4096) as Uint8Array<ArrayBuffer>], { type: 'image/png' });
    for (let n = 0; n < count; n++) data.append('file', picture, `${n}.png`);
    const url = '/v1/models/fashion-mnist/predictions?fit=contain';
    return app.inject({ method: 'POST', url, ...(await encodeForm(data)) });
  };
  const { detail } = assertProblem(await send(5), 413, 'body-too-large');
  assert.match(detail, /4\.png have 83,886,080 pixels; the limit .* is 67,108,864\./);
  assertProblem(await send(4), 400, 'undecodable-image');
});

test('with ?pixels=0-1 rejects a pixel above 1', async () => {
  assertProblem(await send(JSON_TYPE, image(2), '?pixels=0-1'), 422, 'invalid-pixels', '#/image/783');
  const whole = npyBytes(new Uint8Array(784).fill(2), [784]);
  assertProblem(await send(NPY, whole, '?pixels=0-1'), 422, 'invalid-pixels');
});

test('the service still responds after all of these', async () => {
  assert.equal((await send('image/png', png)).statusCode, 200);
});

test('a defect in a form is reported with the name of its file', async () => {
  const named = (name: string, type: string, bytes: string) =>
    part(type, bytes, `name="file"; filename="${name}"`);
  const whole = named('whole.json', JSON_TYPE, image(0));
  for (const wrong of [
    named('wrong.x', JSON_TYPE, image(256)),
    named('wrong.x', BYTES, 'x'),
    named('wrong.x', 'image/png', 'x'),
    named('wrong.x', NPY, 'x'),
  ]) {
    const response = await send(BOUNDARY, `${whole}${wrong}${whole}--b--\r\n`);
    assert.match(response.json().detail, /^File wrong\.x: /);
  }
});

test('an option that does not apply to a file of a form names it', async () => {
  const files = [
    { name: 'file', filename: 'a.npy', content: npy },
    { name: 'file', filename: 'b.png', content: png },
  ];
  const read = (query: object) => readImages(formRequest(files), MAX_BODY_BYTES, query);
  const { kind, ...rest } = await read({});
  assert.deepEqual([kind, 'names' in rest && rest.names], ['parts', ['a.npy', 'b.png']]);
  await assert.rejects(
    read({ pixels: '0-255' }),
    isAtelierError('invalid-request', /^File b\.png: .*pixels of image\/png are 0–255\./),
  );
  await assert.rejects(
    read({ fit: 'cover' }),
    isAtelierError('invalid-request', /^File a\.npy: .*images in application\/x-npy must have the shape/),
  );
});
