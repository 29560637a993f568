/** Writes a model card: Markdown with a YAML head. */
import type { ModelCard } from '../../../domain/reports/model-card.ts';
import { writeHead } from './head.ts';
import { code, codeBlock, count, escapeText, table } from './markdown.ts';
import { resultSections } from './results.ts';

/**
 * @param basePath prefix of the API's paths
 * @param address of the service, without it
 */
export function writeModelCard(card: ModelCard, basePath: string, address: string): string {
  const { version, intendedUse, limitations } = card;
  const path = `${basePath}/v1/models/${version.name}/versions/${version.version}`;
  const description = version.description === null ? [] : [`> ${escapeText(version.description)}`];
  const sections = [
    `# ${escapeText(version.name)}, version ${version.version}`,
    ...description,
    describeNetwork(card),
    '## Intended use and limits',
    escapeText(intendedUse),
    limitations.map((limitation) => `- ${escapeText(limitation)}`).join('\n'),
    '## Data',
    ...describeData(card),
    '## Training',
    ...describeTraining(card),
    ...resultSections(card, path),
    '## Predict',
    ...describePrediction(card, path, address),
    '## Lineage',
    ...describeLineage(card, basePath),
  ];
  return `---\n${writeHead(card)}---\n\n${sections.join('\n\n')}\n`;
}

function describeNetwork({ version, parameters }: ModelCard): string {
  const { layerSizes, activation, classNames } = version;
  const hidden = layerSizes.slice(1, -1);
  const layers =
    hidden.length === 0
      ? 'Softmax regression'
      : `A fully connected network with hidden layers of ${hidden.map(count).join(', ')} units (${activation})`;
  return `${layers} that classifies images of 28×28 pixels into ${classNames.length} classes, with ${count(parameters)} parameters.`;
}

function describeData({ version, dataset }: ModelCard): string[] {
  const { lineage, preprocessing, standardization } = version;
  if (lineage.dataset === null) return ['The data set is unknown.'];
  const { id, digest } = lineage.dataset;
  const named = dataset?.name ? `${escapeText(dataset.name)} (${code(id)})` : code(id);
  const role = lineage.source === 'import' ? 'evaluated on' : 'trained on';
  const encoded =
    preprocessing === null
      ? 'must have 28×28 pixels'
      : `are prepared by ${code(JSON.stringify(preprocessing))}`;
  const scaled =
    standardization === null
      ? 'divided by 255'
      : `divided by 255, minus ${standardization.mean}, divided by ${standardization.std}`;
  return [
    `The version was ${role} data set ${named} with the digest ${code(digest)}.`,
    ...(dataset === null ? ['The data set has been deleted since.'] : [countImages(dataset)]),
    `Encoded images ${encoded}. Pixels are ${scaled}.`,
  ];
}

function countImages({ splits: { train, test }, classNames }: NonNullable<ModelCard['dataset']>): string {
  return table(
    ['class', 'training images', 'test images'],
    [
      ...classNames.map((name, label) => [
        escapeText(name),
        count(train.examplesPerClass[label] ?? 0),
        count(test.examplesPerClass[label] ?? 0),
      ]),
      ['all', count(train.examples), count(test.examples)],
    ],
  );
}

function describeTraining({ version: { lineage, engine }, receipt }: ModelCard): string[] {
  const { request, import: origin } = lineage;
  if (request === null) {
    const assumed = origin?.assumed.length
      ? ` Neither the file nor the request gave: ${origin.assumed.join(', ')}.`
      : '';
    return [`The version was imported, so its training is unknown.${assumed}`];
  }
  const repeated =
    receipt?.stoppedAt.reason === 'budget'
      ? 'The training was ended by its budget, so only a verification repeats it exactly.'
      : 'Sent again, it gives the same parameters on the same kernel and processor.';
  const stopped = receipt
    ? `It ended after ${count(receipt.stoppedAt.step)} steps (${receipt.stoppedAt.reason}), computed by kernel ` +
      `${code(receipt.kernel.name)} with the digest ${code(receipt.kernel.digest)}, with ${receipt.fused ? 'fused' : 'separate'} multiply-adds.`
    : `It was computed by ${code(engine ?? 'an unknown engine')}; the job and its receipt have been deleted.`;
  return [
    `The request, with all defaults. ${repeated}`,
    codeBlock('json', JSON.stringify(request, null, 2)),
    stopped,
  ];
}

function describePrediction({ version }: ModelCard, path: string, address: string): string[] {
  const file = `${version.name}-${version.version}.onnx`;
  return [
    'With the service, at its address:',
    codeBlock(
      'sh',
      [
        `ATELIER=${address}`,
        `curl -sS --fail-with-body $ATELIER${path}/predictions -H 'content-type: image/png' --data-binary @image.png`,
      ].join('\n'),
    ),
    'Without it, by the ONNX file, whose input holds pixels from 0 to 255:',
    codeBlock('sh', `curl -sS --fail-with-body "$ATELIER${path}/export?format=onnx&input=uint8" -o ${file}`),
    codeBlock(
      'python',
      [
        'import numpy as np',
        'import onnxruntime',
        `session = onnxruntime.InferenceSession("${file}")`,
        'images = np.zeros((1, 784), dtype=np.uint8)  # 28 rows of 28 pixels',
        'probabilities, labels = session.run(["probabilities", "label"], {"image": images})',
      ].join('\n'),
    ),
  ];
}

function describeLineage({ version, receipt }: ModelCard, basePath: string): string[] {
  const { lineage, digest, createdAt, aliases } = version;
  const { jobId, parent, teachers, copiedFrom, import: origin } = lineage;
  const rows: (readonly [string, string] | null)[] = [
    ['digest of the parameters', code(digest)],
    ['published', createdAt],
    aliases.length > 0 ? ['aliases', aliases.map(code).join(', ')] : null,
    jobId === null ? null : ['training job', code(jobId)],
    parent && ['started from', code(`${parent.name}@${parent.version}`)],
    teachers.length > 0
      ? ['learned from', teachers.map(({ name, version }) => code(`${name}@${version}`)).join(', ')]
      : null,
    copiedFrom && ['copied from', code(`${copiedFrom.name}@${copiedFrom.version}`)],
    origin && ['imported from', `${origin.source}, file with the digest ${code(origin.fileDigest)}`],
    lineage.seed === null ? null : ['seed', String(lineage.seed)],
  ];
  const verify =
    receipt === null
      ? []
      : [
          `${code(`POST ${basePath}/v1/training-jobs/${jobId}/verify`)} repeats the training from its receipt and compares the digest.`,
        ];
  return [
    table(
      ['property', 'value'],
      rows.flatMap((row) => (row === null ? [] : [row])),
    ),
    ...verify,
  ];
}
