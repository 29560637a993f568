/** Writes a model card: Markdown with a YAML head. */
import { describeImages } from '../../../domain/image-shape.ts';
import { architectureOf } from '../../../domain/models/architecture.ts';
import type { ModelCard } from '../../../domain/reports/model-card.ts';
import type { Architecture } from '../../../numerics/network/architecture.ts';
import type { ByChannel } from '../../../numerics/network/layers.ts';
import { onnxInputShape } from '../../onnx/graph.ts';
import {
  type Block,
  codeBlock,
  type Inline,
  properties,
  prose,
  type Section,
  text,
  whole,
} from '../blocks.ts';
import { countImages, describeTestSet } from '../facts.ts';
import { writeMarkdown } from '../markdown.ts';
import { writeHead } from './head.ts';
import { describeNetwork } from './network.ts';
import { calibrationBlocks, evaluationBlocks } from './results.ts';

/**
 * @param basePath prefix of the API's paths
 * @param address of the service, without it
 */
export function writeModelCard(card: ModelCard, basePath: string, address: string): string {
  const { version, intendedUse, limitations, testSet } = card;
  const path = `${basePath}/v1/models/${version.name}/versions/${version.version}`;
  const sections: Section[] = [
    { title: null, blocks: networkBlocks(card) },
    {
      title: 'Intended use and limits',
      blocks: [text(intendedUse), { kind: 'list', items: limitations }],
    },
    { title: 'Data', blocks: dataBlocks(card) },
    { title: 'Training', blocks: trainingBlocks(card) },
    { title: 'Evaluation', blocks: evaluationBlocks(card, path) },
    { title: 'Calibration', blocks: calibrationBlocks(card) },
    {
      title: 'Looks at the test split',
      blocks:
        testSet === null
          ? [text('The version has no data set.')]
          : describeTestSet(testSet, version.testAccuracy).map((sentence) => text(sentence)),
    },
    { title: 'Predict', blocks: predictionBlocks(card, path, address) },
    { title: 'Lineage', blocks: lineageBlocks(card, basePath) },
  ];
  const shown = sections.filter(({ blocks }) => blocks.length > 0);
  const title = `${version.name}, version ${version.version}`;
  return `---\n${writeHead(card)}---\n\n${writeMarkdown(title, shown)}`;
}

function networkBlocks({ version, parameters }: ModelCard): Block[] {
  const { inputShape, activation, classNames, description } = version;
  const layers = describeNetwork(architectureOf(version), activation);
  return [
    ...(description === null ? [] : [{ kind: 'quote' as const, text: description }]),
    prose`${layers} that classifies ${describeImages(inputShape)} into ${String(classNames.length)} classes, with ${whole(parameters)}
      parameters.`,
  ];
}

/** 0.286, or (0.49, 0.48, 0.45) */
const showByChannel = (numbers: ByChannel) =>
  typeof numbers === 'number' ? String(numbers) : `(${numbers.join(', ')})`;

function dataBlocks({ version, dataset }: ModelCard): Block[] {
  const { inputShape, lineage, preprocessing, standardization } = version;
  if (lineage.dataset === null) return [text('The data set is unknown.')];
  const { id, digest } = lineage.dataset;
  const named: Inline = dataset?.name ? [dataset.name, ' (', { code: id }, ')'] : { code: id };
  const role = lineage.source === 'import' ? 'evaluated on' : 'trained on';
  const encoded: Inline =
    preprocessing === null
      ? `must have ${inputShape[0]}×${inputShape[1]} pixels`
      : ['are prepared by ', { code: JSON.stringify(preprocessing) }];
  const scaled =
    standardization === null
      ? 'divided by 255'
      : `divided by 255, minus ${showByChannel(standardization.mean)}, divided by ${showByChannel(standardization.std)}`;
  return [
    prose`The version was ${role} data set ${named} with the digest ${{ code: digest }}.`,
    dataset === null ? text('The data set has been deleted since.') : countImages(dataset),
    prose`Encoded images ${encoded}. Pixels are ${scaled}.`,
  ];
}

function trainingBlocks({ version: { lineage, engine }, receipt }: ModelCard): Block[] {
  const { request, import: origin } = lineage;
  if (request === null) {
    const assumed = origin?.assumed.length
      ? ` Neither the file nor the request gave: ${origin.assumed.join(', ')}.`
      : '';
    return [text(`The version was imported, so its training is unknown.${assumed}`)];
  }
  const repeated =
    receipt?.stoppedAt.reason === 'budget'
      ? 'The training was ended by its budget, so only a verification repeats it exactly.'
      : 'Sent again, it gives the same parameters on the same kernel and processor.';
  const stopped = receipt
    ? prose`It ended after ${whole(receipt.stoppedAt.step)} steps (${receipt.stoppedAt.reason}), computed by kernel
        ${{ code: receipt.kernel.name }} with the digest ${{ code: receipt.kernel.digest }}, with
        ${receipt.fused ? 'fused' : 'separate'} multiply-adds.`
    : prose`It was computed by ${{ code: engine ?? 'an unknown engine' }}; the job and its receipt have been deleted.`;
  return [
    text(`The request, with all defaults. ${repeated}`),
    codeBlock('json', JSON.stringify(request, null, 2)),
    stopped,
  ];
}

function predictionBlocks({ version }: ModelCard, path: string, address: string): Block[] {
  const file = `${version.name}-${version.version}.onnx`;
  return [
    text('With the service, at its address:'),
    codeBlock(
      'sh',
      `ATELIER=${address}`,
      `curl -sS --fail-with-body $ATELIER${path}/predictions -H 'content-type: image/png' --data-binary @image.png`,
    ),
    text('Without it, by the ONNX file, whose input holds pixels from 0 to 255:'),
    codeBlock('sh', `curl -sS --fail-with-body "$ATELIER${path}/export?format=onnx&input=uint8" -o ${file}`),
    codeBlock(
      'python',
      'import numpy as np',
      'import onnxruntime',
      `session = onnxruntime.InferenceSession("${file}")`,
      `images = np.zeros(${describeArray(architectureOf(version))}`,
      'probabilities, labels = session.run(["probabilities", "label"], {"image": images})',
    ),
  ];
}

/** The array with one image that the ONNX file takes. */
function describeArray(architecture: Architecture): string {
  const [, ...sizes] = onnxInputShape(architecture);
  const [rows, columns] = architecture.inputShape;
  const order = sizes.length === 1 ? `${rows} rows of ${columns} pixels` : 'images, channels, rows, columns';
  return `(1, ${sizes.join(', ')}), dtype=np.uint8)  # ${order}`;
}

function lineageBlocks({ version, receipt }: ModelCard, basePath: string): Block[] {
  const { lineage, digest, createdAt, aliases } = version;
  const { jobId, parent, teachers, copiedFrom, import: origin } = lineage;
  const reference = ({ name, version }: { readonly name: string; readonly version: number }) =>
    `${name}@${version}`;
  return [
    properties([
      ['digest of the parameters', { code: digest }],
      ['published', createdAt],
      aliases.length > 0 ? ['aliases', listCodes(aliases)] : null,
      jobId === null ? null : ['training job', { code: jobId }],
      parent && ['started from', { code: reference(parent) }],
      teachers.length > 0 ? ['learned from', listCodes(teachers.map(reference))] : null,
      copiedFrom && ['copied from', { code: reference(copiedFrom) }],
      origin && ['imported from', [`${origin.source}, file with the digest `, { code: origin.fileDigest }]],
      lineage.seed === null ? null : ['seed', String(lineage.seed)],
    ]),
    ...(receipt === null
      ? []
      : [
          prose`${{ code: `POST ${basePath}/v1/training-jobs/${jobId}/verify` }} repeats the training from its receipt and
            compares the digest.`,
        ]),
  ];
}

const listCodes = (names: readonly string[]): Inline =>
  names.flatMap((name, i) => [...(i === 0 ? [] : [', ']), { code: name }]);
