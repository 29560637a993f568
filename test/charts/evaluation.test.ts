import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawClassBars } from '../../src/charts/class-bars.ts';
import { drawConfusion, type PlacedCell } from '../../src/charts/confusions/matrix.ts';
import { drawDeadUnits, listHidden } from '../../src/charts/dead-units.ts';
import { tenth } from '../../src/charts/parts/box.ts';
import { element } from '../../src/charts/parts/element.ts';
import { TEXT_SIZE } from '../../src/charts/parts/text.ts';
import { drawCoverage, drawRanking } from '../../src/charts/ranking.ts';
import { drawReliability } from '../../src/charts/reliability.ts';
import { renderSvg } from '../../src/charts/render.ts';
import { drawSearchHistory } from '../../src/charts/searches/history.ts';
import { drawSearchRungs } from '../../src/charts/searches/rungs.ts';
import { drawSearchSlices } from '../../src/charts/searches/slices.ts';
import { SMALL } from './elements.ts';
import {
  coverageInput,
  deadUnitsInput,
  LIGHT,
  rankingInput,
  reliabilityInput,
  rungsInput,
  slicesInput,
} from './samples.ts';

const describe = (svg: string) => /<desc>(.*?)<\/desc>/.exec(svg)![1]!;

test('a confusion matrix shows every count, and shades correct and wrong cells in two colours', () => {
  const { theme } = LIGHT;
  const input = {
    subtitle: 'm@1',
    classNames: ['a', 'b', 'c'],
    matrix: [
      [9, 1, 0],
      [2, 8, 0],
      [5, 5, 0],
    ],
  };
  const svg = renderSvg(drawConfusion(input, LIGHT));
  const numbers = Array.from(svg.matchAll(/>(\d+)<\/text>/g), ([, number]) => Number(number));
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    [1, 2, 5, 5, 8, 9],
  );
  for (const name of input.classNames) {
    assert.equal(
      svg.match(new RegExp(`>${name}</text>`, 'g'))?.length,
      2,
      'a name beside the row and below the column',
    );
  }
  const cells = (colour: string) =>
    Array.from(
      svg.matchAll(new RegExp(`<path d="([^"]+)" stroke="${colour}" stroke-opacity`, 'g')),
      ([, d]) => d!,
    ).join('');
  assert.equal(cells(theme.accent), 'M0 0h1M1 1h1');
  assert.deepEqual(
    cells(theme.error)
      .match(/M\d \d/g)!
      .toSorted(),
    ['M0 1', 'M0 2', 'M1 0'],
  );
  assert.match(cells(theme.error), /M0 2h2/, 'equal neighbours are one line');
  assert.match(
    describe(svg),
    /^17 of 30 images are classified correctly\. .* is c classified as a: 5 images\./,
  );
  const perfect = {
    ...input,
    matrix: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 0],
    ],
  };
  assert.match(describe(renderSvg(drawConfusion(perfect, LIGHT))), /There are no mistakes\./);
});

test('of many rows, as many names are shown as fit below each other, at equal distances', () => {
  const classNames = Array.from({ length: 100 }, (_, label) => `class ${label}`);
  const matrix = classNames.map((_, row) => classNames.map((__, column) => Number(row === column)));
  const svg = renderSvg(drawConfusion({ subtitle: 'm@1', classNames, matrix }, LIGHT));
  const [rows] = /<g [^>]*text-anchor="end"[^>]*>.*?<\/g>/.exec(svg)!;
  const named = Array.from(rows.matchAll(/ y="([\d.]+)"[^>]*>class (\d+)</g), ([, y, label]) => ({
    y: Number(y),
    label: Number(label),
  }));
  const [first, second] = named;
  const every = second!.label;
  assert.equal(first!.label, 0);
  const height = (second!.y - first!.y) / every;
  assert.ok(
    every * height >= TEXT_SIZE && (every - 1) * height < TEXT_SIZE + 1,
    `${every} rows of ${height}`,
  );
  assert.deepEqual(
    named.map(({ label }) => label),
    classNames
      .keys()
      .filter((label) => label % every === 0)
      .toArray(),
  );
});

test('bars of a reliability diagram end at the accuracy of their bin, and empty bins have no bar', () => {
  const bins = reliabilityInput().bins.map((bin, i) => ({ ...bin, accuracy: i === 14 ? 1 : bin.accuracy }));
  const svg = renderSvg(drawReliability({ ...reliabilityInput(), bins }, LIGHT));
  const [, d] = /<path d="([^"]+)" fill="[^"]+" fill-opacity="0.45"/.exec(svg)!;
  assert.equal(d!.match(/Z/g)!.length, 13);
  const [diagonalStart, diagonalRise] = /<path d="M[\d.]+ ([\d.]+)l[\d.]+(-[\d.]+)" [^>]*dasharray="5 4"/
    .exec(svg)!
    .slice(1)
    .map(Number);
  const tops = Array.from(d!.matchAll(/M[\d.]+ ([\d.]+)/g), ([, y]) => Number(y));
  assert.ok(Math.abs(tops.at(-1)! - (diagonalStart! + diagonalRise!)) < 0.11, 'accuracy 1 is at the top');
  assert.ok(Math.abs(tops[0]! - (diagonalStart! + diagonalRise! * bins[2]!.accuracy!)) < 0.11);
  assert.match(describe(svg), /^The expected calibration error on [\d,]+ images is 2\.34 %\./);
});

test('class bars are as long as their scores', () => {
  const classes = [
    { className: 'a', precision: 1, recall: 0.5, f1: 2 / 3 },
    { className: 'b', precision: 0, recall: 0, f1: 0 },
  ];
  const svg = renderSvg(drawClassBars({ subtitle: 'm@1', classes }, LIGHT));
  const lengths = Array.from(svg.matchAll(/<path d="M[\d.]+ [\d.]+h([\d.]+)v/g), ([, length]) =>
    Number(length),
  );
  const [precision, recall, f1] = lengths;
  assert.ok(
    Math.abs(recall! / precision! - 0.5) < 1e-3 && Math.abs(f1! / precision! - 2 / 3) < 1e-3,
    `${lengths}`,
  );
  for (const value of ['100.0', '50.0', '66.7', '0.0']) assert.ok(svg.includes(`>${value}</text>`), value);
  assert.match(describe(svg), /^The lowest F1 is that of b: 0 %/);
});

test('dead units are one strip per hidden layer, or one line per training', () => {
  const svg = renderSvg(drawDeadUnits(deadUnitsInput(40), LIGHT));
  assert.match(svg, />layer 1<\/text>.*>4 of 40<\/text>.*>layer 2<\/text>.*>2 of 20<\/text>/);
  assert.equal(
    describe(svg),
    'Layer 1 of 40 units: 10 % at the end. Layer 2 of 20 units: 10 % at the end. A unit is dead if it is zero on all of the first 1,024 training images.',
  );
  const convolutional = deadUnitsInput(40).trainings.map((training) => ({
    ...training,
    hidden: listHidden({ convolutions: [[16]], hidden: [20] }),
  }));
  assert.match(
    renderSvg(drawDeadUnits({ subtitle: '', trainings: convolutional }, LIGHT)),
    /Convolution 1 of 16 units: 10 % .* Layer 1 of 20 units: .*>convolution 1<\/text>.*>2 of 16<\/text>.*>layer 1</,
  );
  assert.match(renderSvg(drawDeadUnits(deadUnitsInput(1), LIGHT)), />0 of 40<\/text>.*<path d="M[^"]+Z"/);
  const lines = renderSvg(drawDeadUnits(deadUnitsInput(10, 3), LIGHT));
  assert.match(lines, />Dead units by epoch, all hidden layers<.*job_…4F7QK2: 10 %</);
  assert.match(lines, /<g [^>]*text-anchor="end"><text [^>]*>0<\/text>/, 'the axis starts at 0');
});

test('charts of a search mark the best trial, and count those without a value', () => {
  const slices = renderSvg(drawSearchSlices(slicesInput(), LIGHT));
  assert.match(
    describe(slices),
    /^The best of 39 trials is trial 1: Validation loss \(nats\) 0\.31\. 1 trial has no value\. .* Without a value to show: 1\.$/,
  );
  assert.equal(slices.match(/<circle /g)!.length, 3, 'one per option');
  const another = { ...slicesInput(), best: 3 };
  assert.match(describe(renderSvg(drawSearchSlices(another, LIGHT))), /is trial 3:/);
  const none = { ...slicesInput(), trials: slicesInput().trials.map((trial) => ({ ...trial, value: null })) };
  assert.match(describe(renderSvg(drawSearchSlices(none, LIGHT))), /^None of 40 trials has a value\./);

  const rates = ['0.025', '0.05', '0.1', '0.2', '0.4'];
  const options = [{ name: 'learningRate', kind: 'choices', choices: rates } as const];
  const narrow = renderSvg(drawSearchSlices({ ...slicesInput(), options }, { ...LIGHT, width: 160 }));
  assert.deepEqual(
    [...narrow.matchAll(/>(0\.\d+|0\.…)</g)].map(([, tick]) => tick).filter((tick) => rates.includes(tick!)),
    ['0.025', '0.1', '0.4'],
    'no number is cut',
  );

  const many = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, kind: 'linear', choices: [] }) as const);
  const alike = slicesInput().trials.map((trial) => ({ ...trial, settings: many.map(() => 1) }));
  const small = renderSvg(
    drawSearchSlices({ ...slicesInput(), options: many, trials: alike }, { ...LIGHT, width: 160 }),
  );
  assert.match(
    describe(small),
    /Without room at this size: d, e\./,
    'panels of 100 pixels in a height of 400',
  );

  // Trials 2 and 4 are better than all before.
  const trials = [0.5, 0.4, 0.6, 0.3].map((value, i) => ({ number: i + 1, value }));
  const history = renderSvg(drawSearchHistory({ ...slicesInput(), trials }, LIGHT));
  assert.match(history, /<path d="M[\d. ]+h[\d.]+v[\d.]+h[\d.]+v[\d.]+h[\d.]+" fill="none"/);
  assert.match(renderSvg(drawSearchHistory({ ...slicesInput(), trials: [] }, LIGHT)), /None of 0 trials/);
  const one = [...trials.slice(0, 1), { number: 2, value: null }, { number: 3, value: null }];
  assert.match(
    describe(renderSvg(drawSearchHistory({ ...slicesInput(), trials: one }, LIGHT))),
    /^The best of 1 trial is trial 1: Validation loss \(nats\) 0\.5\. 2 trials have no value\./,
  );

  const rungs = renderSvg(drawSearchRungs(rungsInput(), LIGHT));
  assert.match(
    describe(rungs),
    /^64 trials reached 1 epoch, 16 trials reached 4 epochs, 4 trials reached 16 epochs\. The best of the highest rung is trial 1: 0\.3\./,
  );
  for (const tick of ['1 (64 trials)', '4 (16 trials)', '16 (4 trials)'])
    assert.ok(rungs.includes(`>${tick}<`), tick);
  assert.match(renderSvg(drawSearchRungs({ ...rungsInput(), trials: [] }, LIGHT)), />1 \(0 trials\)</);
});

test('ROC curves name the classes with the lowest areas, and draw the others in grey', () => {
  const svg = renderSvg(drawRanking('roc', rankingInput(), LIGHT));
  const named = Array.from(svg.matchAll(/>[\d.]+ (class \d)<\/text>/g), ([, name]) => name);
  assert.deepEqual(
    named,
    [8, 7, 6, 5, 4, 3, 2].map((label) => `class ${label}`),
  );
  assert.match(
    describe(svg),
    /class 8 has the lowest, 0.8\. The next 2 are grey\. Classes that are not drawn: 1\./,
  );
  assert.equal(svg.match(/stroke-dasharray="5 4"/g)?.length, 1, 'the diagonal');
  assert.doesNotMatch(renderSvg(drawRanking('precision-recall', rankingInput(), LIGHT)), /NaN|"5 4"/);
});

test('the accuracy of the answered images is described for all and for half of them', () => {
  const svg = renderSvg(drawRanking('answered', rankingInput(), LIGHT));
  assert.match(
    describe(svg),
    /^If all images are answered, the accuracy is 0.88; if only the 50.5 % .* is 0.969\.$/,
  );
});

test('a measured coverage has a line for each figure, without the accuracy of no sure prediction', () => {
  const svg = renderSvg(drawCoverage(coverageInput(), LIGHT));
  assert.match(
    describe(svg),
    /^For a coverage of 80 %, 81 % of the sets contain the true class, and 0 % .* also calibrated/,
  );
  for (const name of ['covered', 'correct if sure', 'unsure'])
    assert.match(svg, new RegExp(`>${name}</text>`));
  assert.doesNotMatch(svg, /NaN/);
});

test('an overlay gets the place and the number of each cell', () => {
  const cells: PlacedCell[] = [];
  const overlay = (cell: PlacedCell) => {
    cells.push(cell);
    return element('g', {});
  };
  drawConfusion(
    {
      subtitle: '',
      classNames: ['0', '1'],
      matrix: [
        [3, 1],
        [0, 12],
      ],
      overlay,
    },
    SMALL,
  );
  // From 27.04 and 38, in cells of 142.4 × 72.
  const rounded = cells.map(({ label, predicted, count, ...box }) => [
    [label, predicted, count],
    [box.left, box.top, box.right, box.bottom].map(tenth),
  ]);
  assert.deepEqual(rounded, [
    [
      [0, 0, 3],
      [27, 38, 169.4, 110],
    ],
    [
      [0, 1, 1],
      [169.4, 38, 311.8, 110],
    ],
    [
      [1, 0, 0],
      [27, 110, 169.4, 182],
    ],
    [
      [1, 1, 12],
      [169.4, 110, 311.8, 182],
    ],
  ]);
});
