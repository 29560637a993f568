/** Titles, descriptions and notes of charts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawDeadUnits } from '../../src/charts/dead-units.ts';
import { drawEpochs, type PlottedTraining } from '../../src/charts/epochs.ts';
import { lossLevels } from '../../src/charts/loss-surface.ts';
import { flatten, toWords } from '../../src/charts/plot-names.ts';
import type { VNode } from '../../src/charts/preact.d.ts';
import { drawCoverage, drawRanking } from '../../src/charts/ranking.ts';
import { renderSvg } from '../../src/charts/render.ts';
import { describeChoice, settingIndex, toOption } from '../../src/charts/searches/options.ts';
import { drawSearchRungs } from '../../src/charts/searches/rungs.ts';
import {
  bestTrial,
  describeBest,
  describeSearch,
  drawnValue,
  isShown,
} from '../../src/charts/searches/trials.ts';
import { drawSgdPath } from '../../src/charts/sgd-path.ts';
import { SMALL } from './elements.ts';
import {
  coverageInput,
  deadUnitsInput,
  epochRecords,
  rankingInput,
  rungsInput,
  sgdPathInput,
} from './samples.ts';

const texts = (chart: VNode) => /<title>(.*?)<\/title><desc>(.*?)<\/desc>/s.exec(renderSvg(chart))!.slice(1);

function training(name: string, losses: readonly (readonly [number, number | null])[]): PlottedTraining {
  const records = epochRecords(losses.length).map((record, i) => ({
    ...record,
    ...{ trainLoss: losses[i]![0], validationLoss: losses[i]![1], testLoss: null },
  }));
  return { name, records };
}
const epochs = (trainings: readonly PlottedTraining[], testLooks?: number) =>
  texts(drawEpochs('loss', { subtitle: 's', trainings, scaleName: 'linear', testLooks }, SMALL));

test('lines are described by their first and last value, and by their number of epochs', () => {
  const one = training('a', [
    [2, null],
    [1, 0.5],
    [0.25, null],
  ]);
  assert.deepEqual(epochs([one]), [
    'Loss by epoch: s',
    'Training: from 2 to 0.25 in 3 epochs. Validation: 0.5 after one epoch.',
  ]);
  const accuracy = drawEpochs(
    'accuracy',
    {
      subtitle: 's',
      trainings: [{ name: 'a', records: epochRecords(2) }],
      scaleName: 'linear',
      testLooks: 2,
    },
    SMALL,
  );
  // 91 − 15, 88 − 10 and 87 − 10 % at first, and a factor of e⁻² of these falls at the end.
  assert.deepEqual(texts(accuracy), [
    'Accuracy by epoch: s',
    'Training: from 76 % to 89 % in 2 epochs. Validation: from 78 % to 86.6 % in 2 epochs. Test: from 77 % to 85.6 % in 2 epochs. The test line represents 2 looks at the test set.',
  ]);
});

test('several trainings are compared by the validation images, if all have some', () => {
  const validated = training('first', [[2, 1]]);
  const plain = training('second', [[3, null]]);
  assert.deepEqual(epochs([validated, validated], 9), [
    'Loss by epoch, validation images: s',
    'First: 1 after one epoch. First: 1 after one epoch.',
  ]);
  assert.deepEqual(epochs([validated, plain]), [
    'Loss by epoch, training images: s',
    'First: 2 after one epoch. Second: 3 after one epoch.',
  ]);
  const rate = (trainings: readonly PlottedTraining[]) =>
    texts(drawEpochs('learning-rate', { subtitle: '', trainings, scaleName: 'linear' }, SMALL));
  assert.deepEqual(rate([validated, plain]), [
    'Learning rate by epoch',
    'First: 0.1 after one epoch. Second: 0.1 after one epoch.',
  ]);
});

test('dead units of several trainings are weighted by the units of the layers', () => {
  // At the end, 10 % of 40 and 10 % of 20 units, then 100 % of 40 and none of 20.
  const input = deadUnitsInput(5, 2);
  const records = input.trainings[1]!.records.map((record) => ({ ...record, deadUnits: [1] }));
  const trainings = [input.trainings[0]!, { ...input.trainings[1]!, records }];
  assert.deepEqual(texts(drawDeadUnits({ subtitle: '', trainings }, SMALL)), [
    'Dead units by epoch, all hidden layers',
    'job_…4F7QK0: 10 % at the end. job_…4F7QK1: 66.7 % at the end.',
  ]);
});

test('a ranking states the mean, the lowest class, and how many are grey or not drawn', () => {
  const rank = (plot: 'roc' | 'precision-recall', classes: number) =>
    texts(drawRanking(plot, rankingInput(classes), SMALL))[1];
  assert.equal(
    rank('roc', 19),
    'Each class against the rest. The mean area under the curve of the classes is 0.955; class 17 has the lowest, 0.8. The next 10 are grey. Classes that are not drawn: 2.',
  );
  assert.equal(
    rank('precision-recall', 8),
    'Each class against the rest. The mean average precision of the classes is 0.9; class 6 has the lowest, 0.525. Classes that are not drawn: 1.',
  );
  const none = { ...rankingInput(1), macroAverage: { areaUnderRoc: null, averagePrecision: null } };
  assert.equal(
    texts(drawRanking('roc', none, SMALL))[1],
    'Each class against the rest. The mean area under the curve of the classes is –. Classes that are not drawn: 1.',
  );
});

test('each coverage is described in percent', () => {
  assert.deepEqual(
    texts(
      drawCoverage({ ...coverageInput(), levels: coverageInput().levels.slice(1, 3), reused: false }, SMALL),
    ),
    [
      'Measured coverage: fashion-mnist · job_01JDNW2E4V6Q8T0Y2A4C6E8G0J',
      'For a coverage of 90 %, 91 % of the sets contain the true class, and 10 % of the predictions are unsure. ' +
        'For a coverage of 95 %, 96 % of the sets contain the true class, and 40 % of the predictions are unsure.',
    ],
  );
});

test('a path names its images and its ends', () => {
  const describe = (changes: object) =>
    texts(drawSgdPath({ ...sgdPathInput(), subtitle: '', ...changes }, SMALL))[1]!;
  assert.match(
    describe({}),
    /Mean cross-entropy in nats on 2,500 training images; in brackets, that on the plane: start 2\.3 \(1\.5\), end 0\.311 \(0\.203\)\. The plane is exact only near the path's centre\.$/,
  );
  assert.match(
    describe({ split: 'test', agrees: false }),
    / 2,500 test images; .* The repetition ended with other parameters than the training itself\.$/,
  );
});

test('levels are of equal ratio if few round values lie between the ends', () => {
  const levels = lossLevels([
    [1, null],
    [1024, 0],
  ]);
  assert.deepEqual(levels, [2, 5, 10, 20, 50, 100, 200, 500, 1000]);
  const narrow = lossLevels([[1, 5]]);
  assert.equal(narrow.length, 10);
  for (const [i, level] of narrow.entries())
    assert.ok(Math.abs(level - 5 ** (0.1 * (i + 0.5))) < 1e-12, `${level}`);
  assert.deepEqual(lossLevels([[0, -1, null, Number.POSITIVE_INFINITY]]), [1]);
});

test('options of a search have their scale, or their choices as texts', () => {
  const path = '/training/l2';
  assert.deepEqual(toOption({ path, min: 0, max: 1 }, 'l2'), { name: 'l2', kind: 'linear', choices: [] });
  assert.deepEqual(toOption({ path, min: 1, max: 2, scale: 'log' }, 'l2').kind, 'log');
  const choices = [[40, 20], [], 'relu', null, { a: 1 }];
  assert.deepEqual(choices.map(describeChoice), ['40-20', 'none', 'relu', 'null', '{a:1}']);
  assert.deepEqual(
    toOption({ path, choices: [1, 2] }, 'l2', (choice) => `<${choice}>`),
    {
      ...{ name: 'l2', kind: 'choices', choices: ['<1>', '<2>'] },
    },
  );
  assert.equal(settingIndex({ path, choices }, [40, 20]), 0);
  assert.equal(settingIndex({ path, choices }, { a: 1 }), 4);
  assert.equal(settingIndex({ path, min: 0, max: 1 }, 0.25), 0.25);
});

test('the best trial has the lowest loss or the highest accuracy', () => {
  const trials = [null, 0.5, 0.25, 0.75, Number.NaN, 0.25].map((value, i) => ({ number: i + 1, value }));
  const { objective: loss, notes } = describeSearch({ objective: 'validationLoss', halving: null }, 's');
  const halving = { factor: 3, minEpochs: 1 };
  const accuracy = describeSearch({ objective: 'validationAccuracy', halving }, 's');
  assert.deepEqual([notes, accuracy.notes], [[], ['The value of a stopped trial is that of its last rung.']]);
  assert.equal(bestTrial(trials, loss)!.number, 3);
  assert.equal(bestTrial(trials, accuracy.objective)!.number, 4);
  assert.equal(bestTrial(trials.slice(0, 1), loss), null);
  assert.equal(
    describeBest(trials.slice(0, 3), trials[1]!, loss),
    'The best of 2 trials is trial 2: Validation loss (nats) 0.5. 1 trial has no value.',
  );
  assert.equal(
    describeBest(trials.slice(1, 2), trials[1]!, loss),
    'The best of 1 trial is trial 2: Validation loss (nats) 0.5.',
  );
});

test('values are drawn in percent if they are accuracies, and on a logarithmic scale above 0', () => {
  assert.equal(drawnValue({ rank: 1, value: 0.875 }, 'validationAccuracy'), 87.5);
  assert.equal(drawnValue({ rank: 1, value: 0.875 }, 'validationLoss'), 0.875);
  assert.deepEqual(
    [
      drawnValue({ rank: null, value: 1 }, 'validationLoss'),
      drawnValue({ rank: 1, value: null }, 'validationLoss'),
    ],
    [null, null],
  );
  assert.deepEqual(
    [null, Number.POSITIVE_INFINITY, 0, -1, 1].map((value) => [
      isShown(value, 'linear'),
      isShown(value, 'log'),
    ]),
    [
      [false, false],
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ],
  );
});

test('the leaves of a request have their paths, and lists are one leaf', () => {
  assert.deepEqual(Object.fromEntries(flatten({ a: { b: 1, c: null }, d: [40, 20], e: [] })), {
    ...{ 'a.b': '1', 'a.c': 'null', d: '40-20', e: 'none' },
  });
  assert.equal(toWords('batchSize'), 'batch size');
});

test('a line without values, and a search without trials, are described', () => {
  const one = training('a', [[Number.NaN, null]]);
  assert.equal(epochs([one])[1], 'Training: no value.');
  assert.equal(
    epochs([
      { name: 'first', records: [] },
      { name: 'second', records: [] },
    ])[1],
    'First: no value. Second: no value.',
  );
});

test('the answered half is the first fraction of one half or more', () => {
  const answered = { threshold: [], fraction: [0, 0.25, 0.5, 0.75, 1], accuracy: [1, 0.96, 0.9, 0.8, 0.75] };
  assert.equal(
    texts(drawRanking('answered', { ...rankingInput(), answered }, SMALL))[1],
    'If all images are answered, the accuracy is 0.75; if only the 50 % with the highest probabilities are, it is 0.9.',
  );
});

test('of classes with equal areas, that of the smaller label is the lowest', () => {
  const input = rankingInput(4);
  const classes = input.classes.map((each) => ({ ...each, areaUnderRoc: 0.5 }));
  for (const order of [classes, classes.toReversed(), [1, 3, 0, 2].map((n) => classes[n]!)])
    assert.match(
      texts(drawRanking('roc', { ...input, classes: order }, SMALL))[1]!,
      /; class 0 has the lowest, 0\.5\./,
    );
});

test('a search whose trials have no value yet has no best trial', () => {
  const [description] = texts(
    drawSearchRungs({ ...rungsInput(2), trials: [{ number: 1, values: [] }] }, SMALL),
  ).slice(1);
  assert.ok(!description!.includes('best'), description);
});
