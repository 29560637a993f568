import assert from 'node:assert/strict';
import { test } from 'node:test';
import { svgArea, svgBars, svgLine, svgPolygon, svgSegment } from '../../../src/charts/parts/path-data.ts';

test('a path has the shortest texts of tenths of a pixel, relative to the last position', () => {
  assert.equal(
    svgLine([
      [0.26, -0.04],
      [12, 10],
      [11.5, 9.5],
      [11.5, -0.5],
      [1, -0.5],
    ]),
    'M.3 0l11.7 10l-.5-.5v-10h-10.5',
  );
  assert.equal(svgSegment([-0.3, -1], [-0.3, 5]), 'M-.3-1v6');
  assert.equal(svgSegment([1, 2], [1, 2]), 'M1 2h0');
});

test('a gap begins another line, and a position alone is closed', () => {
  assert.equal(svgLine([null, [1, 1], [2, 1], null, null, [5, 5], null]), 'M1 1h1M5 5Z');
  assert.equal(svgLine([]), '');
});

test('an area ends at its base, for each run of positions', () => {
  assert.equal(svgArea([[1, 3], [2, 4], null, [7, 2]], 9), 'M1 3l1 1v5h-1ZM7 2v7Z');
});

test('polygons and bars are closed', () => {
  assert.equal(
    svgPolygon([
      [0, 0],
      [2, 0],
      [2, 3],
    ]),
    'M0 0h2v3Z',
  );
  const bar = { left: 1, top: 2, right: 4, bottom: 8 };
  assert.equal(svgBars([bar, { ...bar, left: 3 }]), 'M1 2h3v6h-3ZM3 2h1v6h-1Z');
});
