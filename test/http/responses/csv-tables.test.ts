import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShownCoverage } from '../../../src/domain/checks/coverage.ts';
import type { ShownRanking } from '../../../src/domain/checks/ranking.ts';
import type { Trial } from '../../../src/domain/searches/representation.ts';
import { renderCoverage, renderLeaderboard, renderRanking } from '../../../src/http/responses/csv-tables.ts';

test('a leaderboard has a row per trial, and a column per path that varies', () => {
  const trial = {
    rank: 1,
    trial: 2,
    status: 'succeeded',
    values: { '/seed': 7, '/network/hidden': [8, 4] },
    value: 0.5,
    standardError: null,
    withinOneError: true,
    validationLoss: 0.5,
    validationAccuracy: 0.75,
    epoch: 3,
    epochs: 4,
    rung: 1,
    jobs: ['job_1', 'job_2'],
  } as unknown as Trial;
  assert.equal(
    renderLeaderboard(['/network/hidden', '/seed'], [trial]),
    'rank,trial,status,/network/hidden,/seed,value,standardError,withinOneError,validationLoss,validationAccuracy,epoch,epochs,rung,jobs\r\n' +
      '1,2,succeeded,"[8,4]",7,0.5,,true,0.5,0.75,3,4,1,job_1 job_2\r\n',
  );
});

test('curves of a ranking follow each other: of the classes, of their average, of the answered fraction', () => {
  const curve = {
    threshold: [0.9, 0.1],
    recall: [0.5, 1],
    falsePositiveRate: [0, 0.25],
    precision: [1, 0.8],
    accuracy: [0.7, 0.6],
  };
  const ranking = {
    classes: [{ className: 'a,b', curve }],
    microAverage: { curve: { ...curve, threshold: [0.3], recall: [0.2] } },
    answered: { threshold: [0.4], accuracy: [0.95], fraction: [0.65] },
  } as unknown as ShownRanking;
  assert.deepEqual(renderRanking(ranking).split('\r\n'), [
    'curve,className,threshold,recall,falsePositiveRate,precision,accuracy,answered',
    'class,"a,b",0.9,0.5,0,1,0.7,',
    'class,"a,b",0.1,1,0.25,0.8,0.6,',
    'micro-average,,0.3,0.2,0,1,0.7,',
    'answered,,0.4,,,,0.95,0.65',
    '',
  ]);
});

test('measured coverages have a row per level', () => {
  const level = { coverage: 0.9, measured: 0.89, meanSize: 1.2, unsure: 0.1, sureAccuracy: null };
  assert.equal(
    renderCoverage({ levels: [level] } as unknown as ShownCoverage),
    'coverage,measured,meanSize,unsure,sureAccuracy\r\n0.9,0.89,1.2,0.1,\r\n',
  );
});
