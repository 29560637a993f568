/** `atelier upload` and `datasets`: labelled images. */
import { stat } from 'node:fs/promises';
import type { CheckedDataset, DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { type Context, defineCommand, printResult } from '../command.ts';
import { formatShape, formatTable, formatTime, printable } from '../text.ts';
import { listFolder } from '../upload/folder.ts';
import {
  buildForm,
  field,
  fieldOption,
  filePart,
  folderPart,
  listFields,
  type Part,
  splitPart,
} from '../upload/form.ts';
import { describeDataset } from '../upload/preview.ts';
import { sendForm } from '../upload/send.ts';

export const UPLOAD_FIELDS = {
  name: field('NAME', 'Display name'),
  'test-fraction': field(
    'F',
    'Fraction of the images to test with, from 0.05 to 0.5; needed without test images',
  ),
  seed: field('N', 'Seed of the choice of the test images; 0'),
  'class-names': field('A,B,C', 'Names of the classes, in the order of the labels, or as a JSON array'),
  'image-shape': field(
    'SHAPE',
    'Shape of the images, such as 32x32 or 32x32x3; that of the arrays, or the common size of the images',
  ),
  labels: field(
    'WHERE',
    'Where the classes of images are: filename, as in dog_0.png, or table; the folders. Of CIFAR-100 fine or coarse; fine',
  ),
  damaged: field('HOW', 'Images that cannot be decoded: reject or skip; reject'),
  'file-column': field('NAME', 'Column of the table that names the files'),
  'label-column': field('NAME', 'Column of the table that has the classes'),
  'split-column': field('NAME', 'Column of the table that has train or test'),
  fit: field('FIT', 'How images of other proportions are resized: contain, cover or stretch; contain'),
  background: field('GREY', 'Around the image: auto, black or white; auto'),
  invert: field('WHEN', 'Whether light and dark are exchanged: auto, never or always; auto'),
} as const;

export const upload = defineCommand({
  summary: 'Upload a data set: a folder of class folders, an archive, or arrays',
  parameters: ['folder|file…'],
  options: {
    ...UPLOAD_FIELDS,
    field: fieldOption,
    'dry-run': { type: 'boolean', help: 'Check the images and show what they are read as; store nothing' },
    yes: { type: 'boolean', short: 'y', help: 'Do not ask: by default a terminal shows a dry run first' },
  },
  notes:
    'A folder has a folder of images for each class, also below train/, val/ and test/, or a table of labels\n' +
    'beside its images, CSV or TSV. It is packed while it is sent, without hidden files and links.\n' +
    'Arrays in files of their own are given as train_images=FILE\n' +
    'train_labels=FILE: docs/guides/own-data.md.',
  async run(context, files, values) {
    const parts = await Promise.all(files.map((file) => openPart(context, file)));
    const fields = listFields(UPLOAD_FIELDS, values);
    const { ask } = context;
    const isDryRun = values['dry-run'] ?? false;
    if (isDryRun || (ask && !values.yes)) {
      const dryRun = buildForm(parts, [...fields, 'dryRun=true']);
      const checked = await sendForm<CheckedDataset>(context, '/v1/datasets', dryRun);
      if (isDryRun) printResult(context, checked, () => describeDataset(checked));
      else context.note(describeDataset(checked));
      if (isDryRun || !/^y(es)?$/i.test(await ask!('Upload this data set? [y/N] '))) return 0;
    }
    const form = buildForm(parts, fields);
    const dataset = await sendForm<DatasetSummary>(context, '/v1/datasets', form);
    const isChosen = dataset.report?.archive && values['image-shape'] === undefined;
    const how = isChosen ? dataset.report?.imageShape : undefined;
    if (how !== undefined) context.note(printable(how));
    const { layout } = dataset.report?.archive ?? {};
    if (layout !== undefined) context.note(printable(`Read as ${layout}.`));
    for (const { message } of dataset.report?.warnings ?? []) context.note(`warning: ${printable(message)}`);
    printResult(context, dataset, () => dataset.id);
    return 0;
  },
});

async function openPart({ note }: Context, file: string): Promise<Part> {
  const { path } = splitPart(file);
  // A file that does not exist is reported as such.
  const isFolder = (await stat(path).catch(() => null))?.isDirectory();
  if (!isFolder) return filePart(file);
  const folder = await listFolder(path);
  const { hidden, links } = folder.leftOut;
  const leftOut = [
    ...(hidden > 0 ? [`${hidden} hidden ${hidden === 1 ? 'file' : 'files'}`] : []),
    ...(links > 0 ? [`${links} ${links === 1 ? 'link' : 'links'}`] : []),
  ];
  if (leftOut.length > 0) note(`Left out of ${path}: ${leftOut.join(' and ')}.`);
  return folderPart(file, folder);
}

export const datasets = defineCommand({
  summary: 'List data sets, newest first',
  parameters: [],
  options: {
    limit: { type: 'string', value: 'N', default: '20', help: 'Largest number of data sets, up to 100; 20' },
  },
  async run(context, _parameters, { limit }) {
    const query = new URLSearchParams({ limit });
    const page = await context.client.json<{ data: DatasetSummary[] }>(`/v1/datasets?${query}`);
    const rows = page.data.map(({ id, name, imageShape, classNames, splits, createdAt }) => [
      id,
      name ?? '-',
      formatShape(imageShape),
      String(classNames.length),
      String(splits.train.examples),
      String(splits.validation?.examples ?? '-'),
      String(splits.test.examples),
      formatTime(createdAt),
    ]);
    const heading = ['DATA SET', 'NAME', 'SHAPE', 'CLASSES', 'TRAIN', 'VALIDATION', 'TEST', 'CREATED (UTC)'];
    printResult(context, page, () => formatTable([heading, ...rows]));
    return 0;
  },
});
