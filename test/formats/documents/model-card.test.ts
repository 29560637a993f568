import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

test('a card has all sections, figures and commands', () => {
  const expected = readFileSync(new URL('model-card-example.txt', import.meta.url), 'utf8');
  assert.equal(writeModelCard(card, '/base', ADDRESS), expected);
});

const { version, receipt } = card;
const { lineage } = version;
const facts: readonly (readonly [fact: string, changes: Partial<ModelCard>, line: string])[] = [
  [
    'its tags once',
    { version: { ...version, tags: ['image-classification', 'b'] } },
    'tags:\n- "image-classification"\n- "b"\n',
  ],
  [
    'the name of a data set',
    { dataset: { ...card.dataset!, name: 'Clothes' } },
    'trained on data set Clothes (`fashion-mnist`) with the digest',
  ],
  [
    'that a data set was deleted',
    { dataset: null },
    'The data set has been deleted since.\n\nEncoded images',
  ],
  [
    'how images are prepared and standardized',
    {
      version: {
        ...version,
        preprocessing: { resize: 'contain' } as never,
        standardization: { mean: [0.5, 0.25, 0.125], std: 0.3 },
      },
    },
    'Encoded images are prepared by `{"resize":"contain"}`. Pixels are divided by 255, minus (0.5, 0.25, 0.125), divided by 0.3.',
  ],
  [
    'the data set that measured an import',
    { version: { ...version, lineage: { ...lineage, source: 'import' } } },
    'The version was evaluated on data set `fashion-mnist` with',
  ],
  [
    'that a budget ended the training',
    { receipt: { ...receipt!, fused: false, stoppedAt: { ...receipt!.stoppedAt, reason: 'budget' } } },
    'The request, with all defaults. The training was ended by its budget, so only a verification repeats it exactly.',
  ],
  ['separate multiply-adds', { receipt: { ...receipt!, fused: false } }, 'with separate multiply-adds.'],
  [
    'the engine without a receipt',
    { receipt: null },
    'It was computed by `simd-float32`; the job and its receipt have been deleted.\n\n## Evaluation',
  ],
  [
    'that the engine is unknown',
    { receipt: null, version: { ...version, engine: null } },
    'It was computed by `an unknown engine`;',
  ],
  [
    'the accuracy of a version that is not evaluated',
    { evaluation: null, notEvaluated: 'Too costly.', version: { ...version, testAccuracy: 0.75 } },
    'Accuracy on the test split: 0.7500.\n\nToo costly. `GET /base/v1/models/fashion-mnist/versions/1/evaluation` evaluates the version.\n\n## Calibration',
  ],
  [
    'the only teacher',
    { version: { ...version, lineage: { ...lineage, teachers: [{ name: 't', version: 2 }] as never } } },
    '| learned from | `t@2` |\n',
  ],
  [
    'the bins of the confidence that have images',
    {
      evaluation: {
        ...card.evaluation!,
        calibration: {
          expectedCalibrationError: 0.25,
          bins: [
            { from: 0, to: 0.5, count: 0, confidence: null, accuracy: null },
            { from: 0.5, to: 1, count: 1, confidence: 0.75, accuracy: 1 },
          ],
        },
      },
    },
    '| --- | --- | --- | --- |\n| 0.500–1.000 | 1 | 0.7500 | 1.0000 |\n',
  ],
  [
    'that no test results exist',
    { testSet: null },
    '## Looks at the test split\n\nThe version has no data set.',
  ],
  [
    'versions that it descends from',
    {
      version: {
        ...version,
        aliases: ['champion', 'b'],
        lineage: {
          ...lineage,
          parent: { name: 'p', version: 1 } as never,
          teachers: [
            { name: 't', version: 2 },
            { name: 'u', version: 3 },
          ] as never,
          copiedFrom: { name: 'c', version: 4 } as never,
        },
      },
    },
    '| aliases | `champion`, `b` |\n| training job | `job_01M87ZJ9GPMXZJH0KH4EEVFZ6C` |\n| started from | `p@1` |\n' +
      '| learned from | `t@2`, `u@3` |\n| copied from | `c@4` |\n| seed | 0 |\n',
  ],
];
for (const [fact, changes, line] of facts) {
  test(`a card states ${fact}`, () => {
    const text = writeModelCard({ ...card, ...changes }, '/base', ADDRESS).replaceAll('\\', '');
    assert.ok(text.includes(line), text);
  });
}

test('a card of an import that assumed nothing has no index without an evaluation', () => {
  const origin = { source: 'onnx' as const, fileDigest: 'sha256:file', rounded: 0, assumed: [] };
  const imported = { ...lineage, request: null, jobId: null, seed: null, dataset: null, import: origin };
  const text = writeModelCard(
    {
      ...card,
      version: {
        ...version,
        ...{ description: null, aliases: [], calibration: null, testAccuracy: null, lineage: imported },
      },
      ...{ coverage: null, evaluation: null, notEvaluated: 'Not known.', dataset: null, receipt: null },
    },
    '',
    ADDRESS,
  );
  const sections = text.slice(text.indexOf('## Training'), text.indexOf('## Looks'));
  assert.equal(
    sections,
    '## Training\n\nThe version was imported, so its training is unknown.\n\n## Evaluation\n\nNot known.\n\n',
  );
  assert.match(
    text,
    /\| published \| [^|]+ \|\n\| imported from \| onnx, file with the digest `sha256:file` \|\n$/,
  );
  assert.doesNotMatch(text, /model-index|^>/m);
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
    'A convolutional network with 3×3 convolutions (16)-(32 32), 2×2 max pooling after each stage and hidden layers of 128 units (tanh)',
  ],
  [
    { hidden: [], convolutions: [[16]], norm: 'group' },
    'A convolutional network with 3×3 convolutions (16), 2×2 max pooling after each stage and group normalization (tanh)',
  ],
] as const) {
  test(`a card names the layers: ${phrase}`, () => {
    assert.equal(describeNetwork({ ...dense([784, 10]), ...changes }, 'tanh'), phrase);
  });
}
