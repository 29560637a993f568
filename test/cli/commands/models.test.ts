import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printed, serveAnswers } from './answers.ts';

const VERSION = {
  name: 'digits',
  version: 2,
  aliases: [],
  description: null,
  inputShape: [32, 20],
  layers: '640-10',
  norm: 'none',
  activation: 'relu',
  standardization: null,
  classNames: ['zero', 'one'],
  testAccuracy: 0.75,
  lineage: { dataset: null, jobId: null, source: 'import' },
  digest: 'sha256:1',
  createdAt: '2026-11-24T23:52:10.123Z',
};

test('models lists the newest version of each model with its aliases', async (t) => {
  const { atelier } = await serveAnswers(t, {
    'GET /v1/models?limit=2': {
      data: [
        { name: 'digits', latest: VERSION, aliases: { champion: 1, best: 2 } },
        { name: 'pets', latest: { ...VERSION, testAccuracy: null }, aliases: {} },
      ],
    },
  });
  assert.equal(
    await printed(atelier('models', '--limit', '2')),
    'NEWEST VERSION  ALIASES            LAYERS  ACCURACY  CREATED (UTC)\n' +
      'digits@2        champion=1 best=2  640-10  0.7500    2026-11-24 23:52:10\n' +
      'pets@2          -                  640-10  -         2026-11-24 23:52:10\n',
  );
});

test('model lists the versions of a model, and which one is served', async (t) => {
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/models/digits': { name: 'digits', latest: { version: 2 }, aliases: { champion: 1 } },
    'GET /v1/models/digits/versions?limit=20': {
      data: [VERSION, { ...VERSION, version: 1, aliases: ['champion', 'best'] }],
    },
  });
  assert.equal(
    await printed(atelier('model', 'digits')),
    'VERSION   ALIASES        INPUT  LAYERS  ACCURACY  CREATED (UTC)\n' +
      'digits@2  -              32×20  640-10  0.7500    2026-11-24 23:52:10\n' +
      'digits@1  champion best  32×20  640-10  0.7500    2026-11-24 23:52:10\n' +
      'digits@1 is served.\n',
  );
  await atelier('model', 'digits', '--json');
  assert.equal(requests.length, 3);
});

test('model shows what a version has, and where it comes from', async (t) => {
  const trained = {
    ...VERSION,
    aliases: ['champion', 'best'],
    description: 'The homework',
    norm: 'group',
    standardization: { mean: [0.5], std: [0.25] },
    lineage: { dataset: { id: 'dst_1' }, jobId: 'job_1', source: 'training' },
  };
  const { atelier } = await serveAnswers(t, {
    'GET /v1/models/digits/versions/2': VERSION,
    'GET /v1/models/digits/versions/3': trained,
  });
  const rowsOf = async (reference: string) =>
    (await printed(atelier('model', reference)))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
  assert.deepEqual(await rowsOf('digits@2'), [
    ['version', 'digits@2'],
    ['input shape', '32×20'],
    ['layers', '640-10'],
    ['activation', 'relu'],
    ['classes', 'zero, one'],
    ['test accuracy', '0.7500'],
    ['source', 'import'],
    ['digest', 'sha256:1'],
    ['created', '2026-11-24 23:52:10'],
  ]);
  assert.deepEqual(
    (await rowsOf('digits@3')).filter(([name]) =>
      ['aliases', 'description', 'norm', 'standardized', 'data set', 'source'].includes(name!),
    ),
    [
      ['aliases', 'champion best'],
      ['description', 'The homework'],
      ['norm', 'group'],
      ['standardized', 'yes'],
      ['data set', 'dst_1'],
      ['source', 'job_1'],
    ],
  );
});
