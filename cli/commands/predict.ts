/** `atelier predict`: classifies images. */
import { extname } from 'node:path';
import type { Predictions } from '../../src/protocols/native/schema.ts';
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
  },
  notes: 'PNG, JPEG and WebP hold one image; npy holds one or many.',
  async run(context, paths, { model, top, fit }) {
    const { client, json, write } = context;
    const types = paths.map(mediaType);
    const bodies = await Promise.all(paths.map(openFile));
    const query = new URLSearchParams({ topK: top, ...(fit !== undefined && { fit }) });
    const path = `${modelPath(model ?? (await onlyModel(client)))}/predictions?${query}`;
    for (const [index, file] of paths.entries()) {
      const headers = { 'content-type': types[index]! };
      const response = await client
        .json<Predictions>(path, { method: 'POST', headers, body: bodies[index]! })
        .catch((error) => nameFile(error, file));
      write(json ? `${JSON.stringify({ file, ...response })}\n` : describe(file, response));
    }
    return 0;
  },
});

/** Adds the file to an error of the service, and names the option of the command instead of the query's. */
function nameFile(error: unknown, file: string): never {
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
    .map(({ top = [] }, index) => {
      const name = predictions.length === 1 ? file : `${file}[${index}]`;
      const classes = top.map(({ className, probability }) => `${className} ${formatFigure(probability)}`);
      return `${printable(`${name}: ${classes.join(', ')}`)}\n`;
    })
    .join('');
}
