import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printed, serveAnswers } from './answers.ts';

const JOB = {
  id: 'job_1',
  status: 'running',
  waiting: 'workers',
  priority: 2,
  preemptedBy: null,
  dataset: 'dst_1',
  modelName: 'digits',
  progress: { fraction: 0.479, epoch: 3, epochs: 7 },
  latest: { epoch: 3, validationAccuracy: 0.5, testAccuracy: null },
  best: null,
  createdAt: '2026-11-24T23:52:10.123Z',
  startedAt: null,
  finishedAt: null,
  model: null,
  publication: null,
  pauseReason: null,
  error: null,
  search: null,
};
const search = { id: 'sea_1', trial: 2 };
const stopped = { ...JOB, id: 'job_2', status: 'cancelled', search };
const TRIALS = {
  'GET /v1/searches/sea_1/trials': {
    data: [
      { status: 'stopped', jobs: ['job_2'] },
      { status: 'cancelled', jobs: ['job_4'] },
    ],
  },
};

test('jobs lists a line per job, with the names of data sets, and trials that their search stopped', async (t) => {
  const best = { testAccuracy: 0.875 };
  const done = { ...JOB, id: 'job_3', status: 'succeeded', dataset: 'fashion-mnist', best };
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/training-jobs?limit=4&status=any': {
      data: [
        JOB,
        stopped,
        { ...done, publication: { testAccuracy: 0.75 } },
        { ...stopped, id: 'job_4', dataset: 'dst_2' },
      ],
    },
    'GET /v1/datasets?limit=100': {
      data: [
        { id: 'dst_1', name: 'Digits' },
        { id: 'dst_2', name: null },
      ],
    },
    ...TRIALS,
  });
  const args = ['jobs', '--limit', '4', '--status', 'any'];
  const stdout = await printed(atelier(...args));
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['JOB', 'STATUS', 'DONE', 'MODEL', 'DATA SET', 'ACCURACY', 'AT BEST EPOCH', 'CREATED (UTC)'],
      ['job_1', 'running', '47 %', 'digits', 'Digits', '-', '-', '2026-11-24 23:52:10'],
      ['job_2', 'stopped', '47 %', 'digits', 'Digits', '-', '-', '2026-11-24 23:52:10'],
      ['job_3', 'succeeded', '100 %', 'digits', 'fashion-mnist', '0.7500', '0.8750', '2026-11-24 23:52:10'],
      ['job_4', 'cancelled', '47 %', 'digits', 'dst_2', '-', '-', '2026-11-24 23:52:10'],
      [''],
    ],
  );
  const before = requests.length;
  await atelier(...args, '--json');
  assert.equal(requests.length, before + 1, 'JSON needs no names');
});

test('job shows what is known of a training', async (t) => {
  const cancelled = { ...stopped, waiting: null, preemptedBy: 'job_9' };
  const error = { message: 'The loss is\u0007 infinite.', code: 'diverged' };
  const { atelier } = await serveAnswers(t, {
    'GET /v1/training-jobs/job_1': JOB,
    'GET /v1/training-jobs/job_2': { ...cancelled, error, pauseReason: 'by a client' },
    ...TRIALS,
  });
  const shown = [
    'job       job_1',
    'status    running, waiting for workers',
    'priority  2',
    'data set  dst_1',
    'progress  47 %, epoch 3 of 7',
    'latest    epoch 3, validation accuracy 0.5000, test accuracy -',
    'created   2026-11-24 23:52:10',
    'started   -',
    'finished  -',
    'model     digits',
  ];
  assert.equal(await printed(atelier('job', 'job_1')), `${shown.join('\n')}\n`);
  const stdout = await printed(atelier('job', 'job_2'));
  assert.match(stdout, /\nstatus +stopped by its search\npriority +2\npreempted by +job_9\n/);
  assert.match(stdout, /\npaused because +by a client\nerror +The loss is\uFFFD infinite\. \(diverged\)\n$/);
});

test('job shows the version of a training, and which one is served', async (t) => {
  const model = { name: 'digits', version: 2 };
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/training-jobs/job_1': { ...JOB, model, publication: { testAccuracy: 0.75 } },
    'GET /v1/models/digits': { aliases: {}, latest: { version: 2 } },
  });
  const served = /\nmodel +digits@2, test accuracy 0\.7500\nVersion 2 is served\.\n$/;
  assert.match(await printed(atelier('job', 'job_1')), served);
  await atelier('job', 'job_1', '--json');
  assert.equal(requests.length, 3);
});

test('job shows the leaderboard of a search, and its result once it has ended', async (t) => {
  const running = {
    id: 'sea_1',
    status: 'running',
    modelName: 'tuned',
    progress: { epochs: 3, plannedEpochs: 8 },
    finalJob: null,
    finishedAt: null,
    vary: [],
    objective: 'validationLoss',
    repeats: 1,
    best: null,
    error: null,
  };
  const table = '  TRIAL  validationLoss  accuracy  epochs  status';
  const text = (status: string, ...rest: string[]) =>
    [
      `search    sea_1\nstatus    ${status}\nmodel     tuned\nprogress  3 of at most 8 epochs`,
      ...rest,
      '',
    ].join('\n');
  const ended = { ...running, status: 'cancelled', finishedAt: '2026-11-24T23:52:10.123Z' };
  for (const [search, expected] of [
    [running, text('running', table)],
    [ended, text('cancelled', table, 'The search was cancelled.')],
  ] as const) {
    const { atelier } = await serveAnswers(t, {
      'GET /v1/searches/sea_1': search,
      'GET /v1/searches/sea_1/trials': { data: [] },
    });
    assert.equal(await printed(atelier('job', 'sea_1')), expected);
  }
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/searches/sea_1': { ...running, finalJob: 'job_7' },
    'GET /v1/searches/sea_1/trials': { data: [] },
  });
  assert.match(await printed(atelier('job', 'sea_1')), /\nfinal job +job_7\n/);
  await atelier('job', 'sea_1', '--json');
  assert.equal(requests.length, 3);
});

test('job shows a prediction job of a split or a file, with its error', async (t) => {
  const job = {
    id: 'prd_1',
    status: 'paused',
    model: { name: 'digits', version: 2 },
    dataset: 'dst_1',
    split: 'train',
    images: 60,
    progress: { fraction: 0.479 },
    accuracy: 0.5,
    pauseReason: null,
    error: null,
  };
  const start = 'prediction job  prd_1\nstatus          paused\nmodel           digits@2\n';
  const ofFile = { ...job, dataset: null, split: null, accuracy: null, pauseReason: 'by a client' };
  for (const [answer, text] of [
    [job, 'images          60 of the train split of dst_1\nprogress        47 %\naccuracy        0.5000\n'],
    [
      { ...ofFile, error: { message: 'The file is cut off.', code: 'cut' } },
      'images          60 of a file\nprogress        47 %\naccuracy        -\n' +
        'paused because  by a client\nerror           The file is cut off. (cut)\n',
    ],
  ] as const) {
    const { atelier } = await serveAnswers(t, { 'GET /v1/prediction-jobs/prd_1': answer });
    assert.equal(await printed(atelier('job', 'prd_1')), start + text);
    assert.equal((await atelier('job', 'prd_1', '--follow')).code, 2);
  }
});

test('job follows a search on request', async (t) => {
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/searches/sea_1': { id: 'sea_1', status: 'succeeded', best: null, error: null },
    'GET /v1/searches/sea_1/events': { status: 204, headers: {}, body: '' },
  });
  const search = '{"id":"sea_1","status":"succeeded","best":null,"error":null}\n';
  assert.deepEqual(await atelier('job', 'sea_1', '--follow', '--json'), {
    code: 0,
    stdout: search,
    stderr: '',
  });
  assert.equal(requests.length, 3);
});
