/** Examples of the OpenAPI components, by component id, mostly taken from the starter job. */

import type { z } from 'zod';
import { CLASS_NAMES as FASHION_MNIST_CLASSES } from '../../../datasets/fashion-mnist.ts';
import type { GradientCheck, gradientCheckRequestSchema } from '../../../domain/checks/gradient.ts';
import type { DatasetReport } from '../../../domain/datasets/report.ts';
import type { DatasetSummary } from '../../../domain/datasets/representation.ts';
import type { CheckpointRecord } from '../../../domain/jobs/checkpoint.ts';
import type { EpochRecord } from '../../../domain/jobs/epoch-record.ts';
import type { JobEvent, Receipt, TrainingJob, trainingRequestSchema } from '../../../domain/jobs/training.ts';
import type { Alias, AliasMove } from '../../../domain/models/alias.ts';
import type { ImportOrigin } from '../../../domain/models/import.ts';
import type { Annotations, Model, ModelVersion } from '../../../domain/models/representation.ts';
import { describeIntervals, type TestSetUse } from '../../../domain/models/test-set.ts';
import { describeLimitations, describeUse } from '../../../domain/reports/model-card.ts';
import type { Predictions } from '../../../protocols/native/schema.ts';
import { modelStatus, versionStatus } from '../../../protocols/tensorflow/model-status.ts';
import type { Problem } from '../../errors/problem.ts';
import { inspectionExamples } from './inspections.ts';
import { reportExample } from './lab-report.ts';
import { predictionJob } from './prediction-job.ts';
import { protocolExamples } from './protocols.ts';
import { searchExamples } from './searches.ts';
import { previewExample } from './training-preview.ts';
import { webhookExamples } from './webhooks.ts';

const CLASS_NAMES = [...FASHION_MNIST_CLASSES];
const JOB_ID = 'job_01M87ZJ9GPMXZJH0KH4EEVFZ6C';
const MODEL_DIGEST = 'sha256:af6eae0db6b0471218a59987436b0ff6d7c3cef849c7cd1cf07be29d904fa6c2';
const DATASET_DIGEST = 'sha256:ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f';

const dataset: DatasetSummary = {
  id: 'fashion-mnist',
  name: null,
  createdAt: null,
  imageShape: [28, 28],
  classNames: CLASS_NAMES,
  splits: {
    train: { examples: 60_000, examplesPerClass: new Array(10).fill(6000) },
    test: { examples: 10_000, examplesPerClass: new Array(10).fill(1000) },
  },
  digest: DATASET_DIGEST,
  preprocessing: null,
  report: null,
};

const none = { images: 0, withOtherLabel: 0, first: [] };

const datasetReport: DatasetReport = {
  arrays: [
    { part: 'x_train', format: 'npy', dtype: 'f4', shape: [948, 28, 28], minimum: 0, maximum: 1 },
    { part: 'y_train', format: 'npy', dtype: 'i8', shape: [948], minimum: 0, maximum: 2 },
  ],
  pixels: { range: '0-1', rounded: 0 },
  heldOut: { fraction: 0.25, seed: 0 },
  duplicates: { train: none, test: none, across: { images: 1, withOtherLabel: 0, first: [[17, 4]] } },
  constantImages: { train: 0, test: 0 },
  warnings: [
    {
      code: 'test-images-in-train',
      message: '1 of 237 test images are also training images, so the test accuracy will be too high.',
    },
  ],
};

const ownDataset: DatasetSummary = {
  id: 'dst_78cf2eec2a2ee60a5d15d81c4a41b0a28034a332',
  name: 'Shapes',
  createdAt: '2026-11-25T04:01:14.444Z',
  imageShape: [28, 28],
  classNames: ['circle', 'square', 'triangle'],
  splits: {
    train: { examples: 711, examplesPerClass: [237, 237, 237] },
    test: { examples: 237, examplesPerClass: [79, 79, 79] },
  },
  digest: 'sha256:01722e65a55b1aeb0f5754e8a63d0eeef6c6fb28c7c50740b869f96fb5a9ce9b',
  preprocessing: null,
  report: datasetReport,
};

const trainingRequest: z.input<typeof trainingRequestSchema> = {
  dataset: 'fashion-mnist',
  modelName: 'fashion-mnist',
  network: { hidden: [40] },
  training: { epochs: 10, schedule: { type: 'exponential', factor: 0.85 } },
};

const epochRecord: EpochRecord = {
  epoch: 10,
  trainLoss: 0.3255556428497675,
  trainAccuracy: 0.8842037037037037,
  validationLoss: 0.33760407243382295,
  validationAccuracy: 0.877,
  testLoss: 0.3774626983803156,
  testAccuracy: 0.8643,
  learningRate: 0.02316169462832031,
  gradientNorm: 1.9380597984285035,
  weightNorm: 11.904985579765432,
  deadUnits: [0.025],
  durationMs: 1244.2497350000285,
  evaluationMs: 200.19966900000145,
};

const resolvedRequest: Receipt['request'] = {
  dataset: 'fashion-mnist',
  modelName: 'fashion-mnist',
  seed: 0,
  metadata: {},
  network: { hidden: [40], activation: 'relu', init: 'uniform-fan-in' },
  training: {
    epochs: 10,
    batchSize: 64,
    threads: 1,
    optimizer: { type: 'sgd', learningRate: 0.1, momentum: 0, nesterov: false, weightDecay: 0 },
    schedule: { type: 'exponential', factor: 0.85 },
    l1: 0,
    l2: 0,
    dropout: 0,
    labelSmoothing: 0,
    clipNorm: null,
    classWeights: null,
    standardize: false,
    augmentation: { horizontalFlip: false, shift: 0, noise: 0, erase: 0 },
    mixup: null,
    distillation: null,
    ema: null,
    validation: { fraction: 0.1 },
    earlyStopping: null,
    budget: null,
    checkpointEverySeconds: 5,
    keepCheckpoints: 'best',
  },
  gradientCheck: true,
  publish: { promote: 'never', evenIfNotLearned: false },
  priority: 0,
  warmStart: null,
  testSet: 'every-epoch',
};

const receipt: Receipt = {
  dataset: { id: 'fashion-mnist', digest: DATASET_DIGEST },
  request: resolvedRequest,
  seed: 0,
  kernel: {
    name: 'simd-float32',
    digest: 'sha256:8dd9d7c73432d3feb6cd0457bdb44dd1a8abcde3298806e50bde15d3cbe0c1b3',
  },
  fused: true,
  stoppedAt: { step: 8440, reason: 'completed' },
  mixed: false,
  digest: MODEL_DIGEST,
};

const trainingJob: TrainingJob = {
  id: JOB_ID,
  status: 'succeeded',
  waiting: null,
  pauseReason: null,
  preemptedBy: null,
  ...resolvedRequest,
  createdAt: '2026-11-24T23:51:56.182Z',
  startedAt: '2026-11-24T23:51:56.186Z',
  finishedAt: '2026-11-24T23:52:10.884Z',
  progress: {
    epoch: 10,
    epochs: 10,
    step: 8440,
    steps: 8440,
    fraction: 1,
    imagesPerSecond: 42974.22841737132,
    etaSeconds: 0,
  },
  latest: epochRecord,
  best: epochRecord,
  model: { name: 'fashion-mnist', version: 1 },
  publication: {
    version: 1,
    promoted: true,
    testAccuracy: epochRecord.testAccuracy,
    reason: 'It is the first version of model fashion-mnist.',
    comparison: null,
  },
  notify: null,
  gradientCheckReport: {
    passed: true,
    reason: null,
    advice: null,
    relativeError: 6.88126194782997e-10,
    tolerance: 1e-6,
    coordinates: 200,
    kinks: 0,
    kernel: { name: 'simd-float32', maxRelativeDifference: 2.1e-7 },
  },
  attempts: 1,
  stoppedAt: receipt.stoppedAt,
  digest: MODEL_DIGEST,
  receipt,
  search: null,
  verification: null,
  error: null,
};

const jobEvent: JobEvent = {
  id: 2,
  type: 'status',
  at: '2026-11-24T23:51:56.187Z',
  data: { from: 'queued', to: 'running' },
};

export const eventStreamExample = `:
retry: 2000

id: ${jobEvent.id}
event: ${jobEvent.type}
data: ${JSON.stringify(jobEvent)}

`;

const checkpoint: CheckpointRecord = {
  step: 6752,
  epoch: 8,
  createdAt: '2026-11-24T23:52:08.120Z',
  bytes: 128_256,
  loss: 0.3462,
  digest: 'sha256:0d9ad9b1fd1ccbf8b8f4b3b8e0a7c0c9f6a0f2f6a4ac3c4d1c0f2a9f1d6f0b7e',
};

const modelVersion: ModelVersion = {
  name: 'fashion-mnist',
  version: 1,
  createdAt: '2026-11-24T23:52:10.884Z',
  aliases: ['champion'],
  description: 'The notebook’s network, with a decreasing learning rate',
  metadata: { startedBy: 'STARTER_JOB' },
  tags: ['baseline'],
  layerSizes: [784, 40, 10],
  activation: 'relu',
  standardization: null,
  preprocessing: null,
  classNames: CLASS_NAMES,
  engine: 'simd-float32',
  fused: true,
  testAccuracy: 0.8643,
  digest: MODEL_DIGEST,
  lineage: {
    source: 'training',
    jobId: JOB_ID,
    dataset: { id: 'fashion-mnist', digest: DATASET_DIGEST },
    seed: 0,
    request: resolvedRequest,
    parent: null,
    teachers: [],
    import: null,
    copiedFrom: null,
  },
};

const annotations: Annotations = { description: 'Tried on our own photographs', tags: ['baseline'] };

const alias: Alias = {
  alias: 'champion',
  version: 1,
  movedAt: '2026-11-25T08:30:02.417Z',
  movedBy: 'ci',
};

const aliasMove: AliasMove = {
  id: 3,
  alias: 'champion',
  version: 1,
  previousVersion: 2,
  at: '2026-11-25T08:30:02.417Z',
  caller: 'ci',
  promotion: null,
};

const importOrigin: ImportOrigin = {
  source: 'sklearn',
  fileDigest: 'sha256:5a2d4c5b9f3fb7e7a2f4f9cbd84f6fdc7b6a3f9f0f7c2b1e3c9d8e7f60514233',
  rounded: 31_790,
  assumed: ['standardization'],
};

/** A network without hidden layers for images of two pixels. */
const exportedModel = {
  name: 'tiny',
  version: 1,
  layerSizes: [2, 2],
  activation: 'relu',
  standardization: null,
  classNames: ['bag', 'shoe'],
  preprocessing: null,
  digest: 'sha256:0e1b4c5d3f2a6978b0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f4051627',
  parameters: {
    W1: [
      [0.5, -0.25],
      [0.125, 0],
    ],
    b1: [0, 0.75],
  },
};

const model: Model = {
  name: 'fashion-mnist',
  createdAt: '2026-11-24T23:52:10.884Z',
  versions: 1,
  aliases: { champion: 1 },
  latest: modelVersion,
};

const predictions: Predictions = {
  model: { name: 'fashion-mnist', version: 1 },
  predictions: [
    {
      label: 9,
      className: 'Ankle boot',
      probability: 0.8203348967032604,
      top: [
        { label: 9, className: 'Ankle boot', probability: 0.8203348967032604 },
        { label: 7, className: 'Sneaker', probability: 0.0988034771459325 },
        { label: 5, className: 'Sandal', probability: 0.07888239124337527 },
      ],
    },
  ],
};

const gradientCheckRequest: z.input<typeof gradientCheckRequestSchema> = {
  dataset: 'fashion-mnist',
  examples: 5,
  network: { hidden: [40] },
  scheme: 'central',
};

const gradientCheck: GradientCheck = {
  passed: true,
  reason: null,
  advice: null,
  error: 1.644535239919795e-9,
  relativeError: 6.88126194782997e-10,
  tolerance: 1e-6,
  noise: 3.16819604160351e-8,
  scheme: 'central',
  stepSize: 1e-5,
  loss: 2.2699150265709656,
  coordinates: 31_810,
  kinks: 0,
  durationMs: 34.84,
  blocks: [
    {
      name: 'W1',
      shape: [40, 784],
      coordinates: 31_360,
      passed: true,
      error: 1.6232236818831732e-9,
      relativeError: 7.287634483290424e-10,
      noise: 3.1457067878447235e-8,
      allclose: true,
      kinks: 0,
      worst: { index: [31, 682], analytic: -0.012529465853113018, numeric: -0.01252946590923949 },
    },
  ],
  kernel: { name: 'simd-float32', maxRelativeDifference: 2.1e-7 },
};

const problem: Problem = {
  type: 'urn:atelier:problem:impossible-request',
  title: 'Conflicting options',
  status: 422,
  detail:
    'A batch of 1024 is larger than the training split of 600 images ' +
    '(59400 of 60000 images are held out for validation).',
  instance: '/v1/training-jobs',
  code: 'impossible-request',
  requestId: '5c41b816-cdec-4f07-806c-95785066db6b',
  errors: [{ pointer: '#/training/batchSize', detail: 'must be at most 600' }],
};

const exampleList = <T>(item: T, id: string) => ({ data: [item], firstId: id, lastId: id, hasMore: false });

const testSetUse: TestSetUse = {
  looks: { total: 10, before: 10, lineage: 10 },
  chosenBy: 'unknown',
  ...describeIntervals(0.8643, 10_000, 10),
};

export const examples: Readonly<Record<string, unknown>> = {
  Problem: problem,
  Dataset: ownDataset,
  DatasetReport: datasetReport,
  DatasetList: exampleList(dataset, dataset.id),
  LabelledImage: {
    label: 9,
    className: 'Ankle boot',
    image: Array.from({ length: 28 }, () => new Array(28).fill(0)),
  },
  TrainingRequest: trainingRequest,
  ResolvedTrainingRequest: resolvedRequest,
  Receipt: receipt,
  TrainingJob: trainingJob,
  TrainingPreview: previewExample(resolvedRequest),
  TrainingJobList: exampleList(trainingJob, JOB_ID),
  EpochRecord: epochRecord,
  EpochRecordList: { data: [epochRecord] },
  JobEvent: jobEvent,
  JobEventList: exampleList(jobEvent, '2'),
  Checkpoint: checkpoint,
  CheckpointList: { data: [checkpoint] },
  ModelVersion: modelVersion,
  ShownModelVersion: {
    ...modelVersion,
    ...versionStatus(modelVersion.version),
    testSet: testSetUse,
  },
  ModelCard: {
    version: modelVersion,
    parameters: 31_810,
    intendedUse: describeUse(modelVersion),
    limitations: describeLimitations(null),
    dataset,
    evaluation: inspectionExamples.Evaluation,
    notEvaluated: null,
    testSet: testSetUse,
    receipt,
  },
  LabReport: reportExample({
    job: trainingJob,
    dataset,
    epoch: epochRecord,
    gradientCheck,
    testSet: testSetUse,
  }),
  TestSetUse: testSetUse,
  ImportOrigin: importOrigin,
  ExportedModel: exportedModel,
  ModelVersionList: exampleList(modelVersion, '1'),
  Model: model,
  ShownModel: { ...model, ...modelStatus(model) },
  ModelList: exampleList(model, model.name),
  ModelAnnotations: annotations,
  TrainingJobChanges: { priority: 5 },
  Alias: alias,
  AliasMove: aliasMove,
  AliasTarget: { version: 1 },
  VersionCopy: { from: 'experiment@3' },
  AliasList: { data: [alias], history: exampleList(aliasMove, '3') },
  Predictions: predictions,
  Preprocessing: { fit: 'contain', background: 'auto', invert: 'always' },
  ...webhookExamples(trainingJob),
  PredictionJob: predictionJob,
  PredictionJobList: exampleList(predictionJob, predictionJob.id),
  ...inspectionExamples,
  ...protocolExamples,
  ...searchExamples,
  GradientCheckRequest: gradientCheckRequest,
  GradientCheck: gradientCheck,
  Liveness: { live: true },
  Storage: {
    measuredAt: '2026-11-26T10:00:00.000Z',
    kinds: {
      database: { bytes: 4_331_608, count: 3 },
      models: { bytes: 383_160, count: 3 },
      checkpoints: { bytes: 391_470, count: 3 },
      datasets: { bytes: 0, count: 0 },
      predictions: { bytes: 400_072, count: 1 },
      unreferenced: null,
      events: null,
      metrics: null,
      reserve: { bytes: 4_194_304, count: 1 },
      cache: { bytes: 0, count: 0 },
      temporary: { bytes: 0, count: 0 },
      other: { bytes: 0, count: 0 },
    },
    totalBytes: 9_700_614,
    disk: { freeBytes: 180_388_626_432, totalBytes: 250_000_000_000 },
  },
  Readiness: { ready: true, checks: { database: true, datasets: true, accepting: true, storage: true } },
};
