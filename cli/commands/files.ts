/** `atelier upload`, `import` and `export`: data sets and models as files. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import type { ModelVersion } from '../../src/domain/models/representation.ts';
import { type Context, defineCommand, printResult } from '../command.ts';
import { ConnectionError, UsageError } from '../errors.ts';
import { versionPath } from '../references.ts';
import { formatFigure, printable } from '../text.ts';
import { buildForm, type Form } from '../upload/form.ts';

const field = {
  type: 'string',
  multiple: true,
  default: [] as string[],
  value: 'NAME=VALUE',
  help: 'A further field of the form; can be repeated',
} as const;

/** Sends a form. Its key makes a repeat after a lost connection create nothing. */
function sendForm<T>({ client }: Context, path: string, { headers, open }: Form): Promise<T> {
  const options = { method: 'POST', headers: { ...headers, 'idempotency-key': randomUUID() }, open };
  return client.json<T>(path, options);
}

export const upload = defineCommand({
  summary: 'Upload a data set',
  parameters: ['file…'],
  options: { name: { type: 'string', value: 'NAME', help: 'Display name' }, field },
  notes:
    'Fields as in POST /v1/datasets, such as --field \'classNames=["cat", "dog"]\'. Arrays in files of their\n' +
    'own are given as train_images=FILE train_labels=FILE: docs/guides/own-data.md.',
  async run(context, files, { name, field: fields }) {
    const form = await buildForm(files, [...(name === undefined ? [] : [`name=${name}`]), ...fields]);
    const dataset = await sendForm<DatasetSummary>(context, '/v1/datasets', form);
    for (const { message } of dataset.report?.warnings ?? []) context.note(`warning: ${printable(message)}`);
    printResult(context, dataset, () => dataset.id);
    return 0;
  },
});

export const importModel = defineCommand({
  summary: 'Import a model file as the next version of a model',
  parameters: ['file'],
  options: { name: { type: 'string', value: 'NAME', help: 'Name of the model; required' }, field },
  notes: 'Fields as in POST /v1/models, such as --field activation=tanh: docs/reference/model-files.md.',
  async run(context, files, { name, field: fields }) {
    if (name === undefined) throw new UsageError('--name is missing: the name of the model.');
    const form = await buildForm(files, [`name=${name}`, ...fields]);
    const version = await sendForm<ModelVersion>(context, '/v1/models', form);
    printResult(
      context,
      version,
      () => `${version.name}@${version.version}, test accuracy ${formatFigure(version.testAccuracy)}`,
    );
    return 0;
  },
});

export const exportModel = defineCommand({
  summary: 'Export a version of a model as a file',
  parameters: ['name@version'],
  options: {
    format: { type: 'string', value: 'FORMAT', help: 'onnx, safetensors, npz, npy or json; required' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: 'File to write; NAME-VERSION.FORMAT by default',
    },
  },
  async run(context, [reference], { format, output }) {
    if (format === undefined)
      throw new UsageError('--format is missing: onnx, safetensors, npz, npy or json.');
    const path = await versionPath(context.client, reference!);
    const query = new URLSearchParams({ format });
    const { headers, body } = await context.client.send(`${path}/export?${query}`);
    const file = output ?? `${path.split('/').slice(3).join('-').replace('-versions', '')}.${format}`;
    await save(file, body!, context.interrupted);
    const result = { file, digest: headers.get('x-model-digest') };
    printResult(context, result, () => file);
    return 0;
  },
});

/**
 * Writes a file under another name first, so that a failure leaves no incomplete file.
 * @throws UsageError if it cannot be written, ConnectionError
 */
async function save(file: string, body: NonNullable<Response['body']>, signal: AbortSignal): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(Readable.fromWeb(body), createWriteStream(partial), { signal });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) throw new UsageError(`The file ${file} cannot be written: ${message}.`);
    throw new ConnectionError('The connection was lost before the end of the file.');
  }
}
