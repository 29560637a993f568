/** Examples of evaluations, explanations and diagnoses, with shortened lists. */

import type { Evaluation, ModelComparison } from '../../../domain/checks/evaluation.ts';
import type { SgdPath } from '../../../domain/checks/sgd-path.ts';
import type { Diagnosis } from '../../../domain/predictions/diagnosis.ts';
import type { Explanation } from '../../../domain/predictions/explanation.ts';

const map = Array.from({ length: 28 }, () => new Array<number>(28).fill(0));

const evaluation: Evaluation = {
  model: { name: 'fashion-mnist', version: 1 },
  dataset: 'fashion-mnist',
  split: 'test',
  examples: 10000,
  loss: 0.37762838045890956,
  accuracy: 0.8634,
  accuracyInterval: {
    method: 'wilson-score',
    level: 0.95,
    low: 0.8565293028168655,
    high: 0.8699916071673266,
  },
  confusionMatrix: [
    [825, 1, 17, 54, 8, 1, 83, 0, 11, 0],
    [3, 964, 1, 25, 4, 0, 2, 0, 1, 0],
    [13, 1, 746, 17, 164, 0, 55, 0, 4, 0],
    [22, 11, 12, 884, 44, 2, 21, 0, 4, 0],
    [0, 1, 78, 30, 850, 1, 36, 0, 4, 0],
    [0, 0, 0, 2, 0, 939, 0, 39, 3, 17],
    [137, 1, 105, 52, 106, 0, 576, 0, 23, 0],
    [0, 0, 0, 0, 0, 29, 0, 936, 0, 35],
    [4, 1, 7, 6, 7, 3, 4, 5, 963, 0],
    [0, 0, 0, 0, 0, 9, 1, 39, 0, 951],
  ],
  classes: [
    {
      label: 6,
      className: 'Shirt',
      precision: 0.7403598971722365,
      recall: 0.576,
      f1: 0.6479190101237345,
      support: 1000,
    },
  ],
  macroAverage: { precision: 0.8634296804226725, recall: 0.8634000000000001, f1: 0.8616882946724591 },
  calibration: {
    expectedCalibrationError: 0.0072183262422680855,
    bins: [
      {
        from: 0.9333333333333333,
        to: 1,
        count: 5764,
        confidence: 0.9868273837627594,
        accuracy: 0.9833448993754337,
      },
    ],
  },
  mistakes: [
    {
      index: 2022,
      image: '/v1/datasets/fashion-mnist/splits/test/images/2022',
      label: 7,
      className: 'Sneaker',
      predicted: 9,
      predictedClassName: 'Ankle boot',
      probability: 0.9996428489685059,
    },
  ],
};

const comparison: ModelComparison = {
  model: { name: 'fashion-mnist', version: 1 },
  other: { name: 'fashion-mnist', version: 2 },
  dataset: 'fashion-mnist',
  split: 'test',
  examples: 10000,
  verdict: 'better',
  sentence:
    'fashion-mnist@1 is significantly better than fashion-mnist@2: of 10,000 images of the test split of fashion-mnist, 86.34 % ' +
    "instead of 85.67 % are correct (McNemar's test: n10 = 316, n01 = 249, p = 0.0055).",
  accuracy: { model: 0.8634, other: 0.8567, change: 0.0067 },
  counts: { n00: 1117, n01: 249, n10: 316, n11: 8318 },
  mcnemar: {
    method: 'chi-square-with-continuity-correction',
    statistic: 7.709734513274336,
    pValue: 0.005492382876722712,
  },
  classes: [{ label: 6, className: 'Shirt', support: 1000, model: 0.576, other: 0.662, change: -0.086 }],
  differences: {
    total: 687,
    images: [
      {
        index: 23,
        image: '/v1/datasets/fashion-mnist/splits/test/images/23',
        label: 9,
        className: 'Ankle boot',
        model: { label: 5, className: 'Sandal' },
        other: { label: 9, className: 'Ankle boot' },
      },
    ],
  },
};

const explanation: Explanation = {
  model: { name: 'fashion-mnist', version: 1 },
  label: 9,
  className: 'Ankle boot',
  probability: 0.8288509249687195,
  predicted: { label: 9, className: 'Ankle boot', probability: 0.8288509249687195 },
  occlusion: { patch: 4, stride: 2, map },
  gradient: { of: 'log-probability', map },
};

const diagnosis: Diagnosis = {
  findings: [
    {
      code: 'inverted',
      detail:
        'The image seems inverted: after inverting it, its log-likelihood under the training images rises by 437; for training images it rarely rises by more than 0.',
      advice:
        'Send 255 − pixel. The training images have a dark background where this image has a light one.',
    },
  ],
  corrected: [{ code: 'resized', detail: 'resized from 280×280 to 28×28, centred in 28×28' }],
};

const sgdPath: SgdPath = {
  jobId: 'job_01M87ZJ9GPMXZJH0KH4EEVFZ6C',
  agrees: true,
  digest: 'sha256:1810a5eb03476fa316fb71f9190038c9ef60a959b7dc220663d3986879068277',
  explainedVariance: [0.8768540804552629, 0.08775781595789106],
  points: [
    {
      step: 0,
      epoch: 0,
      x: 7.071865301589258,
      y: -2.8410063558194736,
      loss: 2.2882779024124145,
      planeLoss: 1.41540785779953,
    },
    {
      step: 8440,
      epoch: 10,
      x: -6.49565340227389,
      y: -2.0812133089768925,
      loss: 0.3005775365365264,
      planeLoss: 0.28566505228843164,
    },
  ],
  surface: {
    x: [-9.209157, 9.785369],
    y: [-3.853468, 2.713241],
    loss: [
      [0.3253669309267329, 1.932],
      [0.39542797179078787, 2.381],
    ],
  },
  examples: 2500,
  split: 'train',
};

export const inspectionExamples = {
  Evaluation: evaluation,
  Comparison: comparison,
  Explanation: explanation,
  SgdPath: sgdPath,
  KserveExplanations: { explanations: [explanation] },
  Diagnosis: diagnosis,
};
