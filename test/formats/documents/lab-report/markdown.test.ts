/** Lab reports as Markdown, from the example of the contract. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type LabReport, labReportSchema } from '../../../../src/domain/reports/lab-report.ts';
import type { ReportInput } from '../../../../src/formats/documents/lab-report/input.ts';
import { writeMarkdownReport } from '../../../../src/formats/documents/lab-report/markdown.ts';
import { readExamples } from '../../../../src/http/openapi/examples.ts';

const report = labReportSchema.parse((await readExamples())['LabReport']);
const { job, dataset, gradientCheck, testSet, epochs } = report;
const [record] = epochs;

function write(changes: Partial<LabReport>, more: Partial<ReportInput> = {}): string {
  const changed = { ...report, ...changes };
  return writeMarkdownReport({
    report: changed,
    records: changed.epochs,
    isStopped: false,
    pictures: null,
    basePath: '/base',
    address: 'http://localhost:3456',
    ...more,
  });
}

test('a report has all sections, figures, pictures and commands', () => {
  const expected = readFileSync(new URL('example.txt', import.meta.url), 'utf8');
  assert.equal(write({}), expected);
});

const duplicates = {
  train: { images: 1, withOtherLabel: 2 },
  test: { images: 3, withOtherLabel: 4 },
  across: { images: 5, withOtherLabel: 6 },
};
const search = {
  id: 'sea_1',
  vary: [{ path: '/seed' }],
  progress: { trials: 1200 },
  validationImages: 6000,
  best: { trial: 3, value: 0.25 },
  objective: 'validationLoss',
  status: 'running',
} as unknown as NonNullable<LabReport['search']>;
const path = {
  explainedVariance: [0.75, 0.125],
  points: [
    { epoch: 0, x: 0, y: 0, loss: 2.5, planeLoss: 2.25 },
    { epoch: 1, x: 1, y: 1, loss: 0.5, planeLoss: 0.75 },
  ],
  examples: 2500,
  agrees: true,
} as unknown as NonNullable<LabReport['path']>;
const warnings = Array.from({ length: 21 }, (_, i) => `Warning ${i + 1}.`);

const facts: readonly (readonly [fact: string, changes: Partial<LabReport>, line: string])[] = [
  [
    'the error of a failed job',
    { job: { ...job, status: 'failed', error: { code: 'loss-diverged', message: 'The loss is NaN.' } } },
    '| status | failed |\n| error | The loss is NaN. |\n| version |',
  ],
  ['metadata', { job: { ...job, metadata: { course: 'CV' } } }, '` |\n| course | CV |\n\n## Data'],
  [
    'a named data set',
    { dataset: { ...dataset!, name: 'Clothes' } },
    'Data set Clothes, `fashion-mnist`, with the digest `sha256:',
  ],
  [
    'duplicates and warnings of an uploaded data set',
    { dataset: { ...dataset!, report: { duplicates, warnings: [{ message: 'Few.' }] } } as never },
    '| duplicates | images | with another label |\n| --- | --- | --- |\n| within the training images | 1 | 2 |\n' +
      '| within the test images | 3 | 4 |\n| test images among the training images | 5 | 6 |\n\nWarning: Few.\n\n## Gradient check',
  ],
  [
    'that the gradient is of the model that the training started from',
    {
      job: {
        ...job,
        receipt: { ...job.receipt!, request: { ...job.receipt!.request, warmStart: 'm@1' } as never },
      },
    },
    'The gradient of the model that the training started from by backpropagation',
  ],
  [
    'the advice of a gradient check',
    { gradientCheck: { ...gradientCheck!, advice: 'Use another step.' } },
    'yes |\n\nUse another step.\n\n## Training',
  ],
  [
    'that a gradient check failed',
    {
      gradientCheck: {
        ...gradientCheck!,
        passed: false,
        blocks: [{ ...gradientCheck!.blocks[0]!, allclose: true, passed: false, kinks: 1 }],
      },
    },
    'in every block | 6.88e-10 | no |',
  ],
  [
    'the trial of a search',
    { search, job: { ...job, search: { id: 'sea_1', trial: 3 } as never } },
    'The job is a training of trial 3 of search `sea_1`, which compared 1,200 trials on 6,000 validation images. They never measure the test images.\n\n' +
      'Trial 3 is the best so far: of the trials that got furthest, it has the lowest validation loss, 0.2500.',
  ],
  [
    'the choice of a search',
    {
      search: { ...search, objective: 'validationAccuracy', status: 'succeeded' },
      job: { ...job, search: { id: 'sea_1', trial: null } as never },
      trials: [
        {
          ...{ rank: 2, trial: 1000, values: {}, validationLoss: 0.5, validationAccuracy: null },
          ...{ standardError: 0.01, withinOneError: false, epochs: 2000 },
        } as never,
      ],
    },
    'The job is the final training of search `sea_1`, which compared 1,200 trials on 6,000 validation images. They never measure the test images.\n\n' +
      'Trial 3 was chosen: of the trials that got furthest, it has the highest validation accuracy, 0.2500.\n\n' +
      '| rank | trial | /seed | validation loss | validation accuracy | standard error | within one error | epochs |\n' +
      '| --- | --- | --- | --- | --- | --- | --- | --- |\n| 2 | 1,000 | – | 0.5000 | – | 0.0100 | no | 2,000 |',
  ],
  ['the first 20 warnings', { warnings }, '### Warnings\n\n- Warning 1.\n- Warning 2.'],
  ['how many warnings are left out', { warnings }, '- Warning 20.\n- … and 1 more.\n\n### The last epoch'],
  [
    'exactly 20 warnings',
    { warnings: warnings.slice(0, 20) },
    '- Warning 19.\n- Warning 20.\n\n### The last epoch',
  ],
  [
    'the last epochs without columns that have no value',
    {
      epochs: [
        { ...record!, epoch: 9, validationLoss: null, validationAccuracy: null, testLoss: null },
        {
          ...record!,
          validationLoss: null,
          validationAccuracy: null,
          testLoss: null,
          learningRate: 0.123456,
        },
      ],
    },
    '### The last 2 epochs\n\n| epoch | training loss | training accuracy | test accuracy | learning rate |\n' +
      '| --- | --- | --- | --- | --- |\n| 9 | 0.3256 | 0.8842 | 0.8643 | 0.0232 |\n| 10 | 0.3256 | 0.8842 | 0.8643 | 0.123 |',
  ],
  [
    'that the test images are never measured',
    { job: { ...job, testSet: 'never' } },
    '0.0232 |\n\nThe training does not measure the test images ("testSet": "never").',
  ],
  [
    'the only test result',
    { job: { ...job, testSet: 'once' } },
    'The epochs are not measured on the test images ("testSet": "once"), only the published parameters: test cross-entropy 0.3776, test accuracy 0.8634.',
  ],
  [
    'that the only test result is missing',
    { job: { ...job, testSet: 'once' }, evaluation: null },
    '("testSet": "once"), only the published parameters.',
  ],
  [
    'filters of colours',
    {
      job: { ...job, network: { ...job.network, convolutions: [[16]] } },
      dataset: { ...dataset!, imageShape: [32, 32, 3] },
    },
    'One tile for each filter: in each colour, lighter than grey where it excites the unit, darker where it inhibits it.',
  ],
  [
    'that the coverage is approximate',
    { calibration: { ...report.calibration!, reused: true, warning: 'Few images.' } },
    'These images also trained or chose the version, so the coverage of its sets of classes is approximate.\n\nFew images.',
  ],
  [
    'that the coverage was measured on images of the calibration',
    { coverage: { ...report.coverage!, reused: true } },
    'Measured on 10,000 test images, which also calibrated the version, so new images fare worse; the temperature',
  ],
  [
    'the path of the training',
    { path, omitted: [] },
    'The training was repeated from its receipt and ended with the same parameters. Its two principal components hold ' +
      '0.7500 and 0.1250 of the variance of the weights. The loss on 2,500 training images fell from 2.5000 (2.2500 in the ' +
      `plane) to 0.5000 (0.7500).\n\n![Plot: path of the training over the loss](/base/v1/training-jobs/${job.id}/plots/path)`,
  ],
  [
    'that the repetition differs',
    { path: { ...path, agrees: false }, omitted: [] },
    'ended with similar, but not the same parameters. Its',
  ],
  [
    'that validation images chose the version',
    {
      testSet: {
        ...testSet!,
        looks: { total: 3000, before: 2000, lineage: 1000 },
        chosenBy: 'validation',
        interval: null,
        intervalOfBest: null,
      },
    },
    'Until now, 3,000 test results of given parameters were revealed, 2,000 of them before the version was published and 1,000 of its own lineage. ' +
      'No test result of its lineage was revealed before it was published, and it was chosen by validation images.\n\n' +
      '| property | value |\n| --- | --- |\n| looks until now | 3,000 |\n| before the version was published | 2,000 |\n' +
      '| of its lineage | 1,000 |\n| chosen by | validation |\n\n',
  ],
  [
    'an accuracy from the best epoch without an evaluation',
    { evaluation: null, job: { ...job, best: { ...job.best!, testAccuracy: 0.75 } } },
    'its accuracy 0.7500 has the interval',
  ],
  [
    'an unknown accuracy as a dash',
    { evaluation: null, job: { ...job, best: null } },
    'its accuracy – has the interval',
  ],
  [
    'a receipt of several environments',
    { job: { ...job, receipt: { ...job.receipt!, fused: false, mixed: true, digest: null } } },
    '| multiply-adds | separate |\n| stopped at step | 8,440 |\n| because | completed |\n| mixed environments | yes |\n\n',
  ],
  [
    'one command if the training cannot be verified',
    { reproduce: { repeat: 'curl again', verify: null } },
    'The command starts the same training:\n\n```sh\nATELIER=http://localhost:3456\ncurl again\n```\n',
  ],
];

for (const [fact, changes, line] of facts) {
  test(`a report states ${fact}`, () => {
    const text = write(changes).replaceAll('\\', '');
    assert.ok(text.includes(line), text);
  });
}

test('a report has no sections without content', () => {
  const text = write(
    {
      ...{ dataset: null, gradientCheck: null, evaluation: null, calibration: null, coverage: null },
      ...{ testSet: null, epochs: [], omitted: [{ section: 'evaluation', reason: 'Deleted.', curl: null }] },
      job: { ...job, model: null, receipt: null, finishedAt: null, digest: null },
    },
    { isStopped: true },
  );
  assert.deepEqual(text.match(/^#.*/gm), [
    '# Lab report: fashion-mnist',
    '## Training',
    '## Evaluation on the test split',
    '## Receipt',
  ]);
  assert.match(text, /\| status \| stopped \|\n\| created \| [^|]+ \|\n\| steps \| 8,440 \|\n\n/);
  assert.match(text, /\n\nLeft out: Deleted\.\n\n## Receipt\n\nThe first command starts/);
  assert.doesNotMatch(text, /plots|last epoch/);
});

test('embedded pictures are in the order of their images', () => {
  const pictures = {
    weights: Buffer.from('weights'),
    examples: [Buffer.from('example')],
    mistakes: [Buffer.from('mistake')],
  };
  const text = write({}, { pictures });
  const embedded = Array.from(
    text.matchAll(/!\[([^\]]+)\]\(data:image\/png;base64,([^)]+)\)/g),
    ([, alt, data]) => [alt, Buffer.from(data!, 'base64').toString()],
  );
  assert.deepEqual(embedded, [
    ['Training image 0', 'example'],
    ['Weights of the first layer', 'weights'],
    ['Test image 2022', 'mistake'],
  ]);
  assert.equal(text.match(/data:image\/svg\+xml;base64,/g)?.length, 7);
  assert.ok(!text.includes('](/'));
});

test('a network without mistakes has no section of them', () => {
  const { evaluation } = report;
  assert.match(write({}), /most confident mistakes/);
  assert.doesNotMatch(write({ evaluation: { ...evaluation!, mistakes: [] } }), /confident mistakes/);
});
