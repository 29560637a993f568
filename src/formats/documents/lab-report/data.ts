/** Section of a lab report about the data set: digest, images of each class, duplicates. */

import type { Duplicates } from '../../../domain/datasets/report.ts';
import type { DatasetSummary } from '../../../domain/datasets/representation.ts';
import { describeImages } from '../../../domain/image-shape.ts';
import { type Block, prose, table, text, whole } from '../blocks.ts';
import { countImages } from '../facts.ts';
import type { ReportInput } from './input.ts';

export function dataBlocks({ report, pictures }: ReportInput): Block[] {
  const { dataset, examples } = report;
  if (dataset === null) return [];
  const name = dataset.name === null ? '' : `${dataset.name}, `;
  return [
    prose`Data set ${name}${{ code: dataset.id }}, with the digest ${{ code: dataset.digest }}, has ${describeImages(dataset.imageShape)}.`,
    countImages(dataset),
    {
      kind: 'images',
      isWide: false,
      images: examples.map(({ className, index, image }, i) => ({
        alt: `Training image ${index}`,
        caption: className,
        url: image,
        png: pictures?.examples[i] ?? null,
      })),
    },
    ...describeReport(dataset),
  ];
}

function describeReport({ report }: DatasetSummary): Block[] {
  if (report === null) return [text('Duplicates are counted for uploaded data sets only.')];
  const { train, test, across, validation, validationInTrain, testInValidation } = report.duplicates;
  const row = (name: string, { images, withOtherLabel }: Duplicates) => [
    name,
    whole(images),
    whole(withOtherLabel),
  ];
  return [
    table(
      ['duplicates', 'images', 'with another label'],
      [
        row('within the training images', train),
        row('within the test images', test),
        row('test images among the training images', across),
        ...(validation ? [row('within the validation images', validation)] : []),
        ...(validationInTrain ? [row('validation images among the training images', validationInTrain)] : []),
        ...(testInValidation ? [row('test images among the validation images', testInValidation)] : []),
      ],
    ),
    ...report.warnings.map(({ message }) => text(`Warning: ${message}`)),
  ];
}
