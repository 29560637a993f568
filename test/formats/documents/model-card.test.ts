import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type ModelCard, modelCardSchema } from '../../../src/domain/reports/model-card.ts';
import { describeNetwork } from '../../../src/formats/documents/model-card/network.ts';
import { writeModelCard } from '../../../src/formats/documents/model-card/write.ts';
import { readExamples } from '../../../src/http/openapi/examples.ts';
import { dense } from '../../support/dense.ts';

const ADDRESS = 'http://localhost:3456';
const card = modelCardSchema.parse((await readExamples())['ModelCard']);

/** The metadata and the Markdown after it. */
function split(text: string) {
  const [, head, body] = /^---\n(.*?\n)---\n\n(.*)$/s.exec(text)!;
  const [one, two] = (['1.1', '1.2'] as const).map((version) => parse(head!, { version }));
  assert.deepEqual(one, two);
  return { head: two, body: body! };
}

test('the head is the metadata of the Hugging Face Hub, with all digits', () => {
  const { head } = split(writeModelCard(card, '', ADDRESS));
  const { accuracy, macroAverage, loss, calibration } = card.evaluation!;
  assert.deepEqual(head, {
    library_name: 'atelier',
    pipeline_tag: 'image-classification',
    tags: ['image-classification', 'baseline'],
    datasets: ['fashion-mnist'],
    metrics: ['accuracy', 'f1'],
    'model-index': [
      {
        name: 'fashion-mnist@1',
        results: [
          {
            task: { type: 'image-classification', name: 'Image classification' },
            dataset: {
              type: 'fashion-mnist',
              name: 'fashion-mnist',
              split: 'test',
              revision: card.version.lineage.dataset!.digest,
            },
            metrics: [
              { type: 'accuracy', value: accuracy, name: 'Accuracy' },
              { type: 'f1', value: macroAverage.f1, name: 'F1, mean of the classes' },
              { type: 'loss', value: loss, name: 'Cross-entropy in nats' },
              {
                type: 'expected_calibration_error',
                value: calibration.expectedCalibrationError,
                name: 'Expected calibration error',
              },
            ],
          },
        ],
      },
    ],
  });
});

test('odd names are neither YAML, Markdown nor HTML', () => {
  const odd = '---\n# <script>alert(1)</script> | `a` [x](javascript:1) "\\" *b* _c_ \u0085\u2028';
  const { version, evaluation, dataset } = card;
  const named: ModelCard = {
    ...card,
    version: { ...version, description: odd, classNames: version.classNames.map(() => odd) },
    dataset: { ...dataset!, name: odd, classNames: dataset!.classNames.map(() => odd) },
    evaluation: { ...evaluation!, classes: evaluation!.classes.map((each) => ({ ...each, className: odd })) },
    intendedUse: `\n# ${odd}`,
    limitations: card.limitations.map(() => odd),
  };
  const { head, body } = split(writeModelCard(named, '/base', ADDRESS));
  assert.equal(head['model-index'][0].results[0].dataset.name, odd);
  assert.doesNotMatch(body, /(?<!\\)<|(?<!\\)\[x|[\u0085\u2028]|^# \\?<|(?<!\\|\*)\*b/m);
  const plain = split(writeModelCard(card, '/base', ADDRESS)).body;
  assert.ok(plain.includes(`ATELIER=${ADDRESS}\n`));
  const structure = (text: string) =>
    text.split('\n').map((line) => line.match(/(?<!\\)\||^ *#+ |^```|^ *- /g) ?? []);
  assert.deepEqual(structure(body), structure(plain));
});

test('a card states which of test results, data and training are missing', () => {
  const { lineage } = card.version;
  const origin = {
    source: 'sklearn' as const,
    fileDigest: 'sha256:file',
    rounded: 0,
    assumed: ['activation' as const],
  };
  const unknown = {
    ...lineage,
    source: 'import' as const,
    jobId: null,
    dataset: null,
    seed: null,
    request: null,
  };
  const text = writeModelCard(
    {
      ...card,
      version: { ...card.version, testAccuracy: null, lineage: { ...unknown, import: origin } },
      dataset: null,
      evaluation: null,
      notEvaluated: 'The version has no data set.',
      testSet: null,
      receipt: null,
    },
    '',
    ADDRESS,
  );
  const { head, body } = split(text);
  assert.deepEqual([head.datasets, 'model-index' in head], [[], false]);
  for (const words of [
    'data set is unknown',
    'was imported',
    'activation',
    'version has no data set',
    'sklearn, file',
  ]) {
    assert.ok(body.includes(words), `${words}: ${body}`);
  }
  assert.doesNotMatch(body, /\/evaluation/);
});

for (const [inputShape, network, encoded, array] of [
  [
    [28, 28],
    'grey images of 28×28 pixels',
    '28×28 pixels',
    '(1, 784), dtype=np.uint8)  # 28 rows of 28 pixels',
  ],
  [
    [20, 44],
    'grey images of 20×44 pixels',
    '20×44 pixels',
    '(1, 1, 20, 44), dtype=np.uint8)  # images, channels',
  ],
  [
    [32, 32, 3],
    'colour images of 32×32 pixels',
    '32×32 pixels',
    '(1, 3, 32, 32), dtype=np.uint8)  # images,',
  ],
] as const) {
  test(`a card has the shape of images of ${inputShape.join('×')} and of the array for them`, () => {
    const version = { ...card.version, inputShape: [...inputShape] as [number, number] };
    const { body } = split(writeModelCard({ ...card, version }, '', ADDRESS));
    assert.ok(body.includes(`that classifies ${network} into 10 classes`), body);
    assert.ok(body.includes(`Encoded images must have ${encoded}.`), body);
    assert.ok(body.includes(`images = np.zeros(${array}`), body);
  });
}

for (const [changes, phrase] of [
  [{ hidden: [] }, 'Softmax regression'],
  [{ hidden: [1500, 40] }, 'A fully connected network with hidden layers of 1,500, 40 units (tanh)'],
  [
    { hidden: [128], convolutions: [[16], [32, 32]] },
    'A convolutional network with stages of 16; 32, 32 channels (3×3 kernels, 2×2 max pooling after each stage) and hidden layers of 128 units (tanh)',
  ],
  [
    { hidden: [], convolutions: [[16]], norm: 'group' },
    'A convolutional network with stages of 16 channels (3×3 kernels, 2×2 max pooling after each stage, group normalization) (tanh)',
  ],
] as const) {
  test(`a card names the layers: ${phrase}`, () => {
    assert.equal(describeNetwork({ ...dense([784, 10]), ...changes }, 'tanh'), phrase);
  });
}
