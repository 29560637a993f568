/** Parsers within the running service, mainly of forms. These are parsed as they arrive. */
import { gzipSync } from 'node:zlib';
import { exportModel } from '../../src/formats/models/export.ts';
import { formsOfDatasets } from './data-set-forms.ts';
import { BOUNDARY, firstImage, fixtures, form, jsonBodies, model, pictures } from './files.ts';
import type { Parser, Parsers } from './input.ts';
import { pick, type Random } from './mutations.ts';
import { answered, MODEL } from './running-service.ts';

function requests(
  url: string,
  files: readonly Uint8Array[],
  headersOf: (bytes: Uint8Array, random: Random) => Readonly<Record<string, string>>,
): Parser {
  return answered(files, ({ app }, bytes, random) => {
    const headers = headersOf(bytes, random);
    return app.inject({ method: 'POST', url, headers, payload: Buffer.from(bytes) });
  });
}

/** Sometimes with a boundary that does not occur in the body. */
function ofForm(_: Uint8Array, random: Random) {
  const boundary = random.below(8) === 0 ? 'another' : BOUNDARY;
  return { 'content-type': `multipart/form-data; boundary=${boundary}` };
}

const BODY_TYPES = [
  'application/octet-stream',
  'application/x-npy',
  'application/json',
  'image/png',
  'image/jpeg',
  'image/webp',
] as const;
const SIGNATURES = new Map([
  ['\x93', BODY_TYPES[1]],
  ['{', BODY_TYPES[2]],
  ['\x89', BODY_TYPES[3]],
  ['\xff', BODY_TYPES[4]],
  ['R', BODY_TYPES[5]],
]);

/** Sometimes a content type that does not match the content. */
function ofBody(bytes: Uint8Array, random: Random) {
  const likely = SIGNATURES.get(Buffer.from(bytes.subarray(0, 1)).toString('latin1')) ?? BODY_TYPES[0];
  return { 'content-type': random.below(8) === 0 ? pick(random, BODY_TYPES) : likely };
}

const V2_JSON_BYTES = 256;
const GZIP = 0x1f;

/** Sometimes with a wrong length of the JSON part. */
function ofV2([first]: Uint8Array, random: Random) {
  const length = pick(random, [V2_JSON_BYTES, V2_JSON_BYTES, V2_JSON_BYTES, 0, 1e6]);
  return {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': `${length}`,
    ...(first === GZIP && { 'content-encoding': 'gzip' }),
  };
}

/** The JSON part of the given length, then the tensor. */
function v2Request(datatype: string, data: Uint8Array): Uint8Array {
  const parameters = { binary_data_size: data.length };
  const json = JSON.stringify({ inputs: [{ name: 'image', shape: [1, 784], datatype, parameters }] });
  return new Uint8Array(Buffer.concat([Buffer.from(json.padEnd(V2_JSON_BYTES)), data]));
}

const JSON_TYPE = 'application/json';
const ofText = ([first]: Uint8Array, random: Random) => {
  const likely = first === 0x7b ? JSON_TYPE : 'text/csv';
  return {
    'content-type': random.below(8) === 0 ? pick(random, [JSON_TYPE, 'text/csv; header=present']) : likely,
  };
};
const text = (json: object) => new Uint8Array(Buffer.from(JSON.stringify(json)));

const PREDICTIONS = `/v1/models/${MODEL}/predictions`;

export const all = {
  'forms of images': async () => {
    const [npy] = fixtures('formats', 'images.npy');
    const [png, , , , , jpeg] = await pictures();
    const file = (filename: string, type: string, bytes: Uint8Array) => ({
      name: 'file',
      filename,
      type,
      bytes,
    });
    return requests(
      PREDICTIONS,
      [
        form([file('a.png', 'image/png', png!)]),
        form([file('a.jpg', 'image/jpeg', jpeg!), file('b.npy', 'application/x-npy', npy!)]),
        form([
          file('a.json', 'application/json', jsonBodies()[0]!),
          file('ü.bin', 'application/octet-stream', firstImage),
        ]),
      ],
      ofForm,
    );
  },
  'forms of models': () => {
    const field = (name: string, text: string) => ({ name, bytes: new Uint8Array(Buffer.from(text)) });
    const file = (bytes: Uint8Array) => ({
      name: 'file',
      filename: 'model.bin',
      type: 'application/octet-stream',
      bytes,
    });
    const named = [field('name', 'brought'), field('dataset', 'none')];
    return requests(
      '/v1/models',
      [
        form([...named, file(exportModel(model(), 'safetensors'))]),
        form([...named, field('activation', 'relu'), file(fixtures('formats', 'sklearn-relu.npz')[0]!)]),
      ],
      ofForm,
    );
  },
  'forms of data sets': formsOfDatasets,
  'bodies of images': async () => {
    const [npy] = fixtures('formats', 'images.npy');
    return requests(PREDICTIONS, [...jsonBodies(), npy!, ...(await pictures())], ofBody);
  },
  'bodies of v2': () => {
    const bytes = v2Request('UINT8', firstImage);
    const floats = Float32Array.from(firstImage, (value) => value / 255);
    const wide = v2Request('FP32', new Uint8Array(floats.buffer));
    return requests(`/v2/models/${MODEL}/infer`, [bytes, wide, new Uint8Array(gzipSync(bytes))], ofV2);
  },
  'tables of MLflow': () => {
    const row = Array.from(firstImage);
    const columns = row.map((_, n) => `p${n}`);
    const csv = new Uint8Array(Buffer.from(`${columns}\n${row}\n${row.map((value) => `"${value}"`)}\n`));
    const split = text({ dataframe_split: { columns, data: [row, row] } });
    return requests(
      '/invocations',
      [csv, split, text({ inputs: [row] }), text({ instances: [row] })],
      ofText,
    );
  },
} satisfies Parsers;
