/** `atelier import` and `export`: models as files. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ModelVersion } from '../../src/domain/models/representation.ts';
import { defineCommand, printResult } from '../command.ts';
import { ConnectionError, UsageError } from '../errors.ts';
import { versionPath } from '../references.ts';
import { formatFigure, printable } from '../text.ts';
import { buildForm, field, fieldOption, filePart, listFields } from '../upload/form.ts';
import { sendForm } from '../upload/send.ts';

export const IMPORT_FIELDS = {
  name: field('NAME', 'Name of the model; required'),
  dataset: field('ID', 'Data set to take class names from and to evaluate on, or none'),
  'class-names': field('A,B,C', 'Names of the classes, in the order of the outputs, or as a JSON array'),
  convolutions: field(
    'STAGES',
    'Channels of the convolutions of each stage, such as [16, 32] or [[32, 32], [64, 64]]',
  ),
  norm: field('group', 'Confirms that normalizations are in groups'),
  hidden: field('40,20', 'Units of the hidden layers; needed for a packed vector'),
  'input-shape': field(
    'SHAPE',
    'Shape of the images, such as 32x32x3, or 3x32x32 for planes, unless the file has it',
  ),
  activation: field('NAME', 'Activation of the hidden layers; relu unless the file names it'),
  standardization: field(
    'JSON',
    'Mean and deviation of the pixels, such as {"mean": 0.286, "std": 0.353}, or none',
  ),
  preprocessing: field('JSON', 'How images get the shape that the model takes, unless the file states it'),
  metadata: field('JSON', 'An object of short strings'),
} as const;

export const importModel = defineCommand({
  summary: 'Import a model file as the next version of a model',
  parameters: ['file'],
  options: { ...IMPORT_FIELDS, field: fieldOption },
  notes: 'The options are fields of POST /v1/models: docs/reference/model-files.md.',
  async run(context, [file], values) {
    if (values.name === undefined) throw new UsageError('--name is missing: the name of the model.');
    const form = buildForm([await filePart(file!)], listFields(IMPORT_FIELDS, values));
    const version = await sendForm<ModelVersion>(context, '/v1/models', form);
    printResult(context, version, () => describeImport(version));
    return 0;
  },
});

/** Names and accuracy; classes that neither the file nor the form names are numbered. */
function describeImport({ name, version, classNames, testAccuracy, lineage }: ModelVersion): string {
  const assumed = lineage.import?.assumed.includes('classNames')
    ? `, class names ${classNames[0]}…${classNames.at(-1)}`
    : '';
  const accuracy =
    testAccuracy === null
      ? ', not evaluated: give --dataset'
      : `, test accuracy ${formatFigure(testAccuracy)}`;
  return printable(`${name}@${version}${assumed}${accuracy}`);
}

export const exportModel = defineCommand({
  summary: 'Export a version of a model as a file',
  parameters: ['name@version'],
  options: {
    format: { type: 'string', value: 'FORMAT', help: 'onnx, safetensors, npz, npy or json; required' },
    calibrated: {
      type: 'boolean',
      help: 'Divide the logits by the temperature of the calibration, in the graph of an ONNX file',
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: 'File to write; NAME-VERSION.FORMAT by default',
    },
  },
  async run(context, [reference], { format, calibrated, output }) {
    if (format === undefined)
      throw new UsageError('--format is missing: onnx, safetensors, npz, npy or json.');
    const path = await versionPath(context.client, reference!);
    const query = new URLSearchParams({ format, ...(calibrated && { calibrated: 'true' }) });
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
