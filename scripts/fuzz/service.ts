/** What reads bytes within the running service: forms above all, which are parsed as they arrive. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { AtelierError } from '../../src/errors.ts';
import { exportModel } from '../../src/formats/export-model.ts';
import { BOUNDARY, firstImage, fixtures, form, jsonBodies, model, pictures } from './files.ts';
import { pick, type Random } from './mutations.ts';
import type { Parser, Parsers } from './parsers.ts';

const DATA_DIR = join(import.meta.dirname, '../../data');
const MODEL = 'fuzzed';

/** It has learned next to nothing. */
const JOB = {
  dataset: 'fashion-mnist',
  modelName: MODEL,
  network: { hidden: [2] },
  training: { epochs: 1, batchSize: 1024 },
};

async function startService() {
  const directory = await mkdtemp(join(tmpdir(), 'atelier-fuzz-'));
  const environment = {
    DATA_DIR,
    STATE_DIR: directory,
    STARTER_JOB: 'off',
    MAX_EVENT_LOOP_DELAY_MS: '60000',
  };
  const { app, close } = await compose(readConfig(environment), pino({ level: 'silent' }));
  const { headers } = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: JOB });
  while ((await app.inject(`${headers.location}`)).json().finishedAt === null) await setTimeout(20);
  const stop = async () => {
    await close();
    await rm(directory, { recursive: true, force: true });
  };
  return { app, stop };
}

/** One for all that use it in this process. */
let service: ReturnType<typeof startService> | undefined;
let users = 0;

function requests(
  url: string,
  files: readonly Uint8Array[],
  typeOf: (bytes: Uint8Array, random: Random) => string,
): Parser {
  return {
    files,
    async open() {
      users++;
      service ??= startService();
      await service;
    },
    async parse(bytes, random) {
      const { app } = await service!;
      const headers = { 'content-type': typeOf(bytes, random) };
      const request = { method: 'POST', url, headers, payload: Buffer.from(bytes) } as const;
      const { statusCode, body } = await app.inject(request);
      if (statusCode >= 200 && statusCode < 300) return body;
      if (statusCode < 400 || statusCode >= 500)
        throw new Error(`It was answered with ${statusCode}: ${body}`);
      throw new AtelierError('malformed-request', body);
    },
    async close() {
      if (--users > 0) return;
      await (await service!).stop();
      service = undefined;
    },
  };
}

/** Now and then with a boundary that is not there. */
function formType(_: Uint8Array, random: Random): string {
  return `multipart/form-data; boundary=${random.below(8) === 0 ? 'another' : BOUNDARY}`;
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

/** Now and then another than it looks like. */
function bodyType(bytes: Uint8Array, random: Random): string {
  if (random.below(8) === 0) return pick(random, BODY_TYPES);
  return SIGNATURES.get(Buffer.from(bytes.subarray(0, 1)).toString('latin1')) ?? BODY_TYPES[0];
}

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
      formType,
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
      formType,
    );
  },
  'bodies of images': async () => {
    const [npy] = fixtures('formats', 'images.npy');
    return requests(PREDICTIONS, [...jsonBodies(), npy!, ...(await pictures())], bodyType);
  },
} satisfies Parsers;
