/** Conflicting options are rejected when the job is created. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem, startService, type TrainingBody } from '../../support/start-service.ts';

const { app } = await startService({ after });

type Training = NonNullable<TrainingBody['training']>;

const CONFLICTS: readonly [title: string, pointer: string, body: Omit<TrainingBody, 'dataset'>][] = [
  [
    'nesterov without momentum',
    '#/training/optimizer/nesterov',
    { training: { optimizer: { type: 'sgd', nesterov: true } } },
  ],
  [
    'dropout without hidden units',
    '#/training/dropout',
    { network: { hidden: [] }, training: { dropout: 0.5 } },
  ],
  [
    'a warm-up as long as the training',
    '#/training/schedule/warmupEpochs',
    { training: { epochs: 3, schedule: { type: 'warmup-cosine', warmupEpochs: 3 } } },
  ],
  [
    'a period as long as the training',
    '#/training/schedule/period',
    { training: { epochs: 3, schedule: { type: 'cosine-restarts', period: 3 } } },
  ],
  [
    'a peak below the rate it rises from',
    '#/training/schedule/peak',
    { training: { optimizer: { learningRate: 0.2 }, schedule: { type: 'one-cycle', peak: 0.1 } } },
  ],
  [
    'weights for other classes than there are',
    '#/training/classWeights',
    { training: { classWeights: [1, 1, 1] } },
  ],
  [
    'weights that are all zero',
    '#/training/classWeights',
    { training: { classWeights: new Array(10).fill(0) } },
  ],
  [
    'early stopping without validation',
    '#/training/earlyStopping',
    { training: { validation: null, earlyStopping: {} } },
  ],
  [
    'early stopping on a validation of nothing',
    '#/training/earlyStopping',
    { training: { validation: { fraction: 0 }, earlyStopping: {} } },
  ],
  [
    'early stopping on a share that is less than one image',
    '#/training/earlyStopping',
    { training: { validation: { fraction: 1e-6 }, earlyStopping: {} } },
  ],
  [
    'a target without validation',
    '#/training/budget/targetValidationAccuracy',
    { training: { validation: null, budget: { targetValidationAccuracy: 0.9 } } },
  ],
  ['a budget of nothing', '#/training/budget', { training: { budget: {} } }],
  [
    'an initialization with parameters to start from',
    '#/network/init',
    { network: { init: 'he' }, warmStart: 'any' },
  ],
];

const post = (body: object) =>
  app.inject({
    method: 'POST',
    url: '/v1/training-jobs',
    payload: { dataset: 'fashion-mnist', ...body },
  });

for (const [title, pointer, body] of CONFLICTS) {
  test(`rejects ${title}, and creates no job`, async () => {
    const problem = assertProblem(await post(body), 422, 'impossible-request', pointer);
    assert.match(problem.detail, /^Conflicting options: /);
    assert.equal(problem.errors?.length, 1);
    assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, []);
  });
}

test('reports several conflicts at once, each with its position', async () => {
  const training: Training = {
    optimizer: { type: 'sgd', nesterov: true },
    validation: null,
    earlyStopping: {},
  };
  const problem = assertProblem(await post({ training }), 422, 'impossible-request');
  assert.deepEqual(
    problem.errors?.map((error) => 'pointer' in error && error.pointer),
    ['#/training/optimizer/nesterov', '#/training/earlyStopping'],
  );
});

test('rejects numbers too small for float32, each with its limit', async () => {
  const training: Training = {
    clipNorm: 1e-300,
    classWeights: [1e-40, ...new Array(9).fill(1)],
    optimizer: { type: 'adam', epsilon: 1e-46 },
  };
  const problem = assertProblem(await post({ training }), 400, 'invalid-request');
  assert.deepEqual(problem.errors, [
    { pointer: '#/training/clipNorm', detail: 'Must be at least 0.000001, or null for no clipping.' },
    { pointer: '#/training/optimizer/epsilon', detail: 'Must be at least 1e-15.' },
    { pointer: '#/training/classWeights/0', detail: 'Must be 0 or at least 0.000001.' },
  ]);
});
