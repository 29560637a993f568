/** `atelier predict`: classifies images. */
import { extname } from 'node:path';
import type { Prediction, Predictions } from '../../src/protocols/native/schema.ts';
import { defineCommand } from '../command.ts';
import { ResponseError, UsageError } from '../errors.ts';
import { openFile } from '../files.ts';
import { modelPath, onlyModel } from '../references.ts';
import { formatFigure, printable } from '../text.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.npy': 'application/x-npy',
};

/** Statuses of errors that the image can cause. */
const BODY_STATUSES = [400, 413, 415, 422];
const EXIT_UNSURE = 3;

export const predict = defineCommand({
  summary: 'Classify images',
  parameters: ['image.png…'],
  options: {
    model: {
      type: 'string',
      value: 'NAME@VERSION',
      help: 'Model, with a version or an alias; the only one by default',
    },
    top: { type: 'string', value: 'K', default: '3', help: 'Number of classes to show; 3' },
    fit: {
      type: 'string',
      value: 'contain',
      help: 'Resize images of other sizes than the model takes: contain, cover or stretch',
    },
    coverage: {
      type: 'string',
      value: '0.95',
      help: 'Fraction of images whose classes shall contain the true one, 0.5 to 0.999; shows what is unsure',
    },
    calibrated: { type: 'boolean', help: 'Divide the logits by the temperature of the calibration' },
    strict: { type: 'boolean', help: 'With --coverage, exit with 3 if a prediction is unsure' },
  },
  notes:
    'PNG, JPEG and WebP hold one image; npy holds one or many. --coverage and --calibrated need a calibrated version:\n' +
    'docs/guides/predictions.md#sets-of-classes. The exit code is 0, and with --strict 3 if any prediction is unsure.',
  async run(context, paths, { model, top, fit, coverage, calibrated, strict }) {
    if (strict && coverage === undefined) {
      throw new UsageError('--strict needs --coverage, because only then a prediction can be unsure.');
    }
    const { client, json, write } = context;
    const types = paths.map(mediaType);
    const bodies = await Promise.all(paths.map(openFile));
    const query = new URLSearchParams({
      topK: top,
      ...(fit !== undefined && { fit }),
      ...(coverage !== undefined && { coverage }),
      ...(calibrated && { calibrated: 'true' }),
    });
    let [isAnyUnsure, isReused] = [false, false];
    const path = `${modelPath(model ?? (await onlyModel(client)))}/predictions?${query}`;
    for (const [index, file] of paths.entries()) {
      const headers = { 'content-type': types[index]! };
      const response = await client
        .json<Predictions>(path, { method: 'POST', headers, body: bodies[index]! })
        .catch((error) => nameFile(error, file));
      write(json ? `${JSON.stringify({ file, ...response })}\n` : describe(file, response));
      isAnyUnsure ||= response.predictions.some(({ unsure }) => unsure);
      isReused ||= response.calibration?.reused ?? false;
    }
    if (isReused && coverage !== undefined) {
      context.note(
        'The coverage is approximate: the calibration images have also trained or chosen the version.',
      );
    }
    return strict && isAnyUnsure ? EXIT_UNSURE : 0;
  },
});

/** Adds the file to an error of the service, and names commands and options instead of requests and the query's. */
function nameFile(error: unknown, file: string): never {
  if (error instanceof ResponseError && error.problem?.code === 'not-calibrated') {
    const request = /POST \/v1\/models\/(.+)\/versions\/(\d+)\/calibration/;
    error.message = error.message.replace(request, 'npx atelier calibrate $1@$2');
  }
  if (error instanceof ResponseError && BODY_STATUSES.includes(error.status)) {
    error.message = `${file}: ${error.message.replace('?fit=contain', '--fit contain')}`;
  }
  throw error;
}

function mediaType(path: string): string {
  const type = TYPES[extname(path).toLowerCase()];
  if (type !== undefined) return type;
  throw new UsageError(`The name of ${path} must end with ${Object.keys(TYPES).join(', ')}.`);
}

function describe(file: string, { predictions }: Predictions): string {
  return predictions
    .map((prediction, index) => {
      const name = predictions.length === 1 ? file : `${file}[${index}]`;
      const answer = describeAnswer(prediction);
      const classes = (prediction.top ?? [])
        .map(({ className, probability }) => `${className} ${formatFigure(probability)}`)
        .join(', ');
      return `${printable(`${name}: ${answer === null ? classes : `${answer} (${classes})`}`)}\n`;
    })
    .join('');
}

/** The answer with a coverage, in words; null without one. */
function describeAnswer({ classes, unsureBecause }: Prediction): string | null {
  if (unsureBecause === undefined) return null;
  const names = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(
    (classes ?? []).map(({ className }) => className),
  );
  switch (unsureBecause) {
    case null:
      return names;
    case 'several-classes':
      return `unsure: ${names}`;
    case 'no-class':
      return 'unsure: no class is likely enough';
    case 'unlike-training-images':
      return 'unsure: unlike anything it was trained on';
  }
}
