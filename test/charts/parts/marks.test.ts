import assert from 'node:assert/strict';
import { test } from 'node:test';
import { element } from '../../../src/charts/parts/element.ts';
import { drawMarks, type Mark } from '../../../src/charts/parts/marks.ts';
import { linearScale } from '../../../src/charts/parts/scales.ts';
import { renderSvg } from '../../../src/charts/render.ts';
import { SMALL } from '../elements.ts';

const plot = { left: 0, top: 10, right: 100, bottom: 50 };
const paths = (...marks: readonly Mark[]) => {
  const x = linearScale([1, 11], [0, 100], []);
  const svg = renderSvg(element('g', {}, drawMarks(marks, x, plot, SMALL.theme)));
  return Array.from(
    svg.matchAll(/<path d="([^"]*)"([^>]*)>/g),
    ([, d, rest]) => `${d}${rest!.replaceAll('"', '')}`,
  );
};

test('a cursor is a line, the best epoch a dashed one with a symbol, and a warning a symbol alone', () => {
  assert.deepEqual(paths({ x: 2, kind: 'cursor' }), ['M10 10v40 stroke=ink']);
  assert.deepEqual(paths({ x: 2, kind: 'best' }), [
    'M10 10v40 stroke=muted stroke-dasharray=2 3',
    'M10 5l5 5l-5 5l-5-5 fill=ink',
  ]);
  assert.deepEqual(paths({ x: 2, kind: 'warning' }), ['M10 5l5 10h-10 fill=error']);
});

test('marks outside of the axis are left out, and of those of a kind on one pixel all but one', () => {
  const at = (...xs: readonly number[]) => paths(...xs.map((x) => ({ x, kind: 'cursor' }) as const)).length;
  assert.equal(at(1, 11), 2);
  assert.equal(at(0.9, 11.1), 0);
  assert.equal(at(5, 5.04), 1);
  assert.equal(paths({ x: 5, kind: 'cursor' }, { x: 5, kind: 'warning' }).length, 2);
});
