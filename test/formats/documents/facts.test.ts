import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countImages, listScores } from '../../../src/formats/documents/facts.ts';

const named = (count: number) => Array.from({ length: count }, (_, label) => `class ${label}`);
const rowsOf = (block: ReturnType<typeof countImages>) =>
  block.kind !== 'table'
    ? []
    : block.rows.map((row) =>
        row.map((cell) => (typeof cell === 'object' && 'shown' in cell ? cell.shown : cell)),
      );

test('documents list the images of up to 100 classes, and of more the 30 classes with the fewest', () => {
  const counts = (classes: number) => {
    const split = { examples: 9, examplesPerClass: Array.from({ length: classes }, (_, k) => classes - k) };
    const splits = { train: split, test: split };
    return rowsOf(countImages({ classNames: named(classes), splits }));
  };
  assert.equal(counts(100).length, 101);
  const many = counts(101);
  assert.deepEqual(many[0], ['class 100', '1', '1']);
  assert.deepEqual(many.slice(30), [
    ['71 other classes, with at least as many', '–', '–'],
    ['all', '9', '9'],
  ]);
});

test('of more than 100 classes, the 30 with the lowest F1 are listed with their areas', () => {
  const scores = { precision: 1, recall: 1, f1: 1 };
  const classes = named(200).map((className, label) => {
    return { label, className, ...scores, f1: 1 - label / 1000, support: label };
  });
  const area = { areaUnderRoc: 1, averagePrecision: 1 };
  const areas = {
    ...{ macroAverage: area, microAverage: area },
    classes: classes.map(({ label, className }) => ({ label, className, ...area, averagePrecision: label })),
  };
  const evaluation = { classes, macroAverage: scores, examples: 200 };
  const rows = rowsOf(listScores(evaluation as Parameters<typeof listScores>[0], areas));
  assert.equal(rows.length, 32);
  assert.deepEqual([rows[0]![0], rows[0]![5], rows[0]![6]], ['class 199', '199.0000', '199']);
  assert.match(`${rows[30]![0]}`, /^170 other classes/);
});
