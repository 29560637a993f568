import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  columnNamesHeight,
  drawColumnNames,
  drawRowNames,
  rowNamesWidth,
} from '../../../src/charts/parts/class-names.ts';
import type { Child } from '../../../src/charts/parts/element.ts';
import { element } from '../../../src/charts/parts/element.ts';
import { renderSvg } from '../../../src/charts/render.ts';
import { SMALL } from '../elements.ts';

const area = { left: 10, top: 0, right: 110, bottom: 100 };
const plot = { left: 50, top: 20, right: 110, bottom: 80 };
const drawn = (child: Child) =>
  Array.from(
    renderSvg(element('g', {}, child)).matchAll(/<text ([^>]*)>([^<]*)</g),
    ([, attributes, name]) => [name, attributes!.replaceAll('"', '')],
  );

test('the names beside the rows take at most three tenths of the width, and eight pixels', () => {
  // A 0 is 7.04 pixels wide.
  assert.ok(Math.abs(rowNamesWidth(['0', '000'], area) - (3 * 7.04 + 8)) < 1e-9);
  assert.equal(rowNamesWidth(['00000', '0'], area), 30 + 8);
});

test('names under columns are slanted if one does not fit with four pixels', () => {
  assert.equal(columnNamesHeight(['0', '00'], 2 * 7.04 + 4.01), 18);
  const slanted = columnNamesHeight(['0', '00'], 2 * 7.04 + 3.99);
  assert.ok(Math.abs(slanted - (2 * 7.04 * Math.SQRT1_2 + 18)) < 1e-9);
  assert.ok(Math.abs(columnNamesHeight(['0'.repeat(20)], 10) - (90 * Math.SQRT1_2 + 18)) < 1e-9);
});

test('rows are named in their middle, as many as fit', () => {
  const names = ['0', '1', '2', '3', '4'];
  // The baseline is a third of the size of 11 below the middle.
  assert.deepEqual(drawn(drawRowNames(names, plot, 12, area, SMALL.theme)), [
    ['0', 'x=44 y=29.7'],
    ['1', 'x=44 y=41.7'],
    ['2', 'x=44 y=53.7'],
    ['3', 'x=44 y=65.7'],
    ['4', 'x=44 y=77.7'],
  ]);
  const ofHeight = (height: number) =>
    drawn(drawRowNames(names, plot, height, area, SMALL.theme)).map(([name]) => name);
  assert.deepEqual(ofHeight(11.9), ['0', '2', '4']);
  assert.deepEqual(ofHeight(4), ['0', '3']);
  assert.deepEqual(drawn(drawRowNames(['00000'], plot, 12, area, SMALL.theme))[0]![0], '000…');
});

test('columns are named in their middle, upright or slanted', () => {
  const columns = (names: readonly string[], width: number) =>
    drawn(drawColumnNames(names, plot, width, SMALL.theme));
  assert.deepEqual(columns(['0', '1'], 20), [
    ['0', 'x=60 y=94'],
    ['1', 'x=80 y=94'],
  ]);
  assert.deepEqual(columns(['000', '1'], 20), [
    ['000', 'x=63 y=94 transform=rotate(-45 63 94)'],
    ['1', 'x=83 y=94 transform=rotate(-45 83 94)'],
  ]);
  assert.deepEqual(
    columns(['0', '1', '2'], 6).map(([name]) => name),
    ['0', '2'],
  );
});
