/** Examples of searches. */
import type { z } from 'zod';
import type { Search, SearchEvent, SearchPreview, Trial } from '../../../domain/searches/representation.ts';
import type { ResolvedSearchRequest, searchRequestSchema } from '../../../domain/searches/request.ts';

const SEARCH_ID = 'sea_01KAYQ6V0Q3M4T8C5J9W2X7Z1B';
const JOB_ID = 'job_01KAYQ6V1A7N2D6F8H0K3P5R9T';

const request: z.input<typeof searchRequestSchema> = {
  dataset: 'fashion-mnist',
  modelName: 'tuned',
  network: { hidden: [40] },
  training: { epochs: 9, schedule: { type: 'cosine' } },
  vary: [
    { path: '/network/hidden', choices: [[30], [40]] },
    { path: '/training/optimizer/learningRate', min: 0.001, max: 0.5, scale: 'log' },
  ],
  method: { type: 'random', trials: 9 },
  halving: { factor: 3, minEpochs: 1 },
};

const resolved: ResolvedSearchRequest = {
  dataset: 'fashion-mnist',
  modelName: 'tuned',
  seed: 0,
  metadata: {},
  network: { hidden: [40] },
  training: { epochs: 9, schedule: { type: 'cosine' } },
  gradientCheck: true,
  vary: request.vary,
  method: { type: 'random', trials: 9 },
  halving: { factor: 3, minEpochs: 1 },
  objective: 'validationLoss',
  repeats: 1,
  parallel: null,
  budget: null,
  final: {
    trainOn: 'everything',
    testSet: 'once',
    publish: { promote: 'never', evenIfNotLearned: false },
  },
};

const values = { '/network/hidden': [40], '/training/optimizer/learningRate': 0.1342 };

const search: Search = {
  ...resolved,
  id: SEARCH_ID,
  status: 'running',
  createdAt: '2026-11-26T20:15:04.023Z',
  finishedAt: null,
  finishing: false,
  finishReason: null,
  pauseReason: null,
  rungs: [1, 3, 9],
  validationImages: 6000,
  progress: {
    trials: 9,
    waiting: 0,
    active: 1,
    paused: 2,
    succeeded: 0,
    stopped: 6,
    skipped: 0,
    failed: 0,
    cancelled: 0,
    epochs: 11,
    plannedEpochs: 21,
  },
  best: {
    trial: 4,
    values,
    value: 0.3841,
    validationLoss: 0.3841,
    validationAccuracy: 0.8612,
    epoch: 3,
  },
  finalJob: null,
  model: null,
  publication: null,
  error: null,
};

const trial: Trial = {
  rank: 1,
  trial: 4,
  values,
  status: 'paused',
  rung: 2,
  value: 0.3841,
  standardError: null,
  withinOneError: true,
  validationLoss: 0.3841,
  validationAccuracy: 0.8612,
  epoch: 3,
  epochs: 3,
  jobs: [JOB_ID],
  error: null,
};

const preview: SearchPreview = {
  trials: [{ trial: 1, values }],
  repeats: 1,
  rungs: [1, 3, 9],
  plannedEpochs: 21,
  validationImages: 6000,
  time: { seconds: 4.1, low: 3.3, high: 5.1, finalSeconds: 1.7, timedSettings: 2 },
};

const event: SearchEvent = {
  id: 14,
  type: 'rung',
  at: '2026-11-26T20:15:09.871Z',
  data: { rung: 1, epoch: 1, continued: [2, 4, 7], stopped: [1, 3, 5, 6, 8, 9] },
};

const list = (item: unknown, id: string) => ({ data: [item], firstId: id, lastId: id, hasMore: false });

export const searchExamples: Readonly<Record<string, unknown>> = {
  SearchRequest: request,
  Search: search,
  SearchList: list(search, SEARCH_ID),
  SearchPreview: preview,
  Trial: trial,
  Leaderboard: { data: [trial] },
  SearchEvent: event,
  SearchEventList: list(event, '14'),
};

export const searchStreamExample = `:
retry: 2000

id: ${event.id}
event: ${event.type}
data: ${JSON.stringify(event)}

`;
