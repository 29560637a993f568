/** Small real files of every supported format. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Dataset } from '../../src/domain/datasets/representation.ts';
import { trainingRequestSchema } from '../../src/domain/jobs/request.ts';
import { parseNpy } from '../../src/formats/arrays/npy.ts';
import { type ImportHints, importModel } from '../../src/formats/models/import.ts';
import { type PublishedModel, parametersDigest } from '../../src/formats/models/metadata.ts';
import { DEFAULT_IMAGE_SHAPE, valueCount } from '../../src/numerics/network/image-shape.ts';
import { trainingLoop } from '../../src/numerics/training/loop.ts';
import { prepareTraining } from '../../src/numerics/training/prepare.ts';
import { buildTrainingPlan } from '../../src/services/training/plan.ts';
import { encodeCheckpoint } from '../../src/store/checkpoints/encode.ts';
import { createKernelEngine } from '../../src/workers/kernel/compile.ts';

const FIXTURES = join(import.meta.dirname, '../../test/fixtures');
const CLASSES = ['shirt', 'shoe', 'bag'];

/** Files of test/fixtures. */
export function fixtures(
  folder: 'npy' | 'formats' | 'formats/shapes' | 'formats/convolutions',
  extension: string,
): Uint8Array[] {
  const names = readdirSync(join(FIXTURES, folder)).filter((name) => name.endsWith(extension));
  return names.toSorted().map((name) => new Uint8Array(readFileSync(join(FIXTURES, folder, name))));
}

/** 8 × 784 */
export const images = parseNpy(new Uint8Array(readFileSync(join(FIXTURES, 'formats/images.npy'))))
  .data as Uint8Array;
export const firstImage = images.slice(0, valueCount(DEFAULT_IMAGE_SHAPE));

/** Images of 28×28, and a larger one that is rotated. */
export async function pictures(): Promise<Uint8Array[]> {
  const grey = sharp(firstImage, { raw: { width: 28, height: 28, channels: 1 } });
  const colour = () => grey.clone().toColourspace('srgb');
  const large = () => colour().resize(60, 90);
  const made = [
    grey.clone().toColourspace('b-w').png(),
    grey.clone().toColourspace('grey16').png(),
    colour().png({ palette: true }),
    colour().ensureAlpha(0.5).png({ progressive: true }),
    large().png(),
    grey.clone().toColourspace('b-w').jpeg(),
    colour().jpeg({ progressive: true }),
    colour().toColourspace('cmyk').jpeg(),
    large().withMetadata({ orientation: 6 }).jpeg(),
    colour().webp(),
    colour().ensureAlpha(0.5).webp({ lossless: true }),
    large().webp(),
  ];
  return Promise.all(made.map(async (picture) => new Uint8Array(await picture.toBuffer())));
}

export function jsonBodies(): Uint8Array[] {
  const image = Array.from(firstImage);
  const rows = Array.from({ length: 28 }, (_, row) => image.slice(28 * row, 28 * (row + 1)));
  const colour = Array.from({ length: 16 }, (_, y) =>
    Array.from({ length: 16 }, (_, x) => image.slice(48 * y + 3 * x, 48 * y + 3 * x + 3)),
  );
  const bodies = [
    { image },
    { image: rows },
    { images: [image, rows] },
    { image: image.map((x) => x / 2) },
    { image: colour },
  ];
  return bodies.map((body) => new Uint8Array(Buffer.from(JSON.stringify(body))));
}

/** JSON bodies with encoded images, as data URLs and as Base64. */
export async function encodedJsonBodies(): Promise<Uint8Array[]> {
  const [b64 = '', ...others] = (await pictures()).map((bytes) => Buffer.from(bytes).toString('base64'));
  const bodies = [
    { image: { b64 } },
    { image: `data:image/png;base64,${b64}` },
    { images: others.map((text, n) => (n % 2 === 0 ? { b64: text } : `data:image/webp;base64,${text}`)) },
  ];
  return bodies.map((body) => new Uint8Array(Buffer.from(JSON.stringify(body))));
}

/** A network trained by PyTorch, as an exported version. */
export function model(): PublishedModel {
  const hints: ImportHints = { activation: 'relu', standardization: { mean: 0.286, std: 0.353 } };
  const [file] = fixtures('formats', 'torch-linear.safetensors');
  const { architecture, parameters } = importModel(file!, hints);
  const classNames = Array.from({ length: architecture.classes }, (_, n) => `class ${n}`);
  return {
    name: 'fuzzed',
    version: 1,
    architecture,
    activation: 'relu',
    standardization: hints.standardization!,
    parameters,
    classNames,
    preprocessing: null,
    digest: parametersDigest(parameters),
  };
}

/** Checkpoints of real trainings: with momentum and best parameters, with two moments, and without a hidden layer. */
export function checkpoints(): Uint8Array[] {
  const labels = Uint8Array.from(
    { length: images.length / valueCount(DEFAULT_IMAGE_SHAPE) },
    (_, n) => n % CLASSES.length,
  );
  const examples = { pixels: images, labels };
  const dataset: Dataset = {
    id: 'tiny',
    imageShape: DEFAULT_IMAGE_SHAPE,
    classNames: CLASSES,
    digest: 'sha256:0',
    train: examples,
    validation: null,
    learning: examples,
    test: examples,
  };
  const common = { epochs: 3, batchSize: 2, validation: { fraction: 0.4 } };
  const requests = [
    { hidden: [3], training: { ...common, optimizer: { momentum: 0.9 }, earlyStopping: {} } },
    { hidden: [2, 2], training: { ...common, optimizer: { type: 'adam' }, standardize: true } },
    { hidden: [], training: common },
  ];
  return requests.map(({ hidden, training }) => {
    const request = trainingRequestSchema.parse({ dataset: 'tiny', network: { hidden }, training });
    const plan = buildTrainingPlan(request, dataset, null, null);
    const prepared = prepareTraining(plan, examples, examples);
    const loop = trainingLoop(prepared, createKernelEngine(prepared.settings, prepared.initial));
    let event = loop.next().value;
    while (event && 'kind' in event && event.kind !== 'epoch') event = loop.next().value;
    const taken = loop.next('snapshot').value;
    if (!('kind' in taken) || taken.kind !== 'snapshot') throw new Error('The loop returned no snapshot.');
    const times = { elapsedSeconds: 1.5, epochTrainingMs: 0.25, evaluationMs: 2, images: 12, trainingMs: 3 };
    const { architecture, activation } = plan;
    const standardization = plan.standardize ? { mean: 0.286, std: 0.353 } : null;
    return encodeCheckpoint({
      snapshot: taken.snapshot,
      architecture,
      activation,
      standardization,
      fused: true,
      ...times,
    });
  });
}

/** A form as sent by a browser, with a fixed boundary. */
export function form(
  parts: readonly { name: string; filename?: string; type?: string; bytes: Uint8Array }[],
): Uint8Array {
  const sections = parts.flatMap(({ name, filename, type, bytes }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const headers = `content-disposition: form-data; name="${name}"${file}${type ? `\r\ncontent-type: ${type}` : ''}`;
    return [Buffer.from(`--${BOUNDARY}\r\n${headers}\r\n\r\n`), bytes, Buffer.from('\r\n')];
  });
  return new Uint8Array(Buffer.concat([...sections, Buffer.from(`--${BOUNDARY}--\r\n`)]));
}

export const BOUNDARY = 'x-boundary-of-forms';
