import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawClassBars } from '../../src/charts/class-bars.ts';
import { renderSvg } from '../../src/charts/render.ts';
import { listElements, SMALL } from './elements.ts';

const ZERO = { className: '0', precision: 1, recall: 1, f1: 0.5 };
/** Elements of a chart of one class, whose row has the given height: a chart without rows is 98 pixels high. */
const withRow = (height: number) =>
  listElements(drawClassBars({ subtitle: '', classes: [ZERO] }, { ...SMALL, height: 98 + height }));
const fills = (elements: string) =>
  Array.from(elements.matchAll(/ fill=(first|second|third)/g), ([, fill]) => fill);

test('a row of 12 pixels has three bars, a lower one only that of F1 in its own colour', () => {
  assert.deepEqual(fills(withRow(12)), ['first', 'second', 'third', 'first', 'second', 'third']);
  assert.deepEqual(fills(withRow(11.9)), ['third', 'third']);
});

test('values are beside bars that take 8 pixels, so from a row of 32 pixels', () => {
  assert.match(withRow(32), />100\.0/);
  assert.doesNotMatch(withRow(31.9), />100\.0/);
});

test('a quarter of a thin bar stays free below it', () => {
  // A bar takes a quarter of the row of 12 pixels: 3 pixels, of which it fills 2.25.
  assert.match(withRow(12), /path d=M27 51\.5h249\.3v2\.3h-249\.3Z fill=first/);
});

test('of several classes with the lowest F1, the first is named', () => {
  const classes = [
    { ...ZERO, f1: 1 },
    { ...ZERO, className: '1' },
    { ...ZERO, className: '2' },
  ];
  const chart = drawClassBars({ subtitle: '', classes }, SMALL);
  assert.match(renderSvg(chart), /The lowest F1 is that of 1: 50 %/);
});
