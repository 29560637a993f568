/** The parts of d3 that the page brings itself give the same results as the packages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { area as d3Area, line as d3Line } from 'd3-shape';
import { interpolateNumber } from '../../page/d3/interpolate.ts';
import { area, line } from '../../page/d3/shape.ts';
import { createPathData } from '../../src/charts/parts/path-data.ts';

const SERIES: readonly (readonly (number | null)[])[] = [
  [],
  [null],
  [3],
  [3, 1.5],
  [3, null, 1, 4, 1, null, null, 5],
  [null, 2, 7, 1, null],
];

test('lines and areas have the path data of d3-shape', () => {
  for (const values of SERIES) {
    const [expectedLine, drawnLine] = [createPathData(), createPathData()];
    const [expectedArea, drawnArea] = [createPathData(), createPathData()];
    const isDefined = (value: number | null) => value !== null;
    const x = (_: number | null, i: number) => i * 10;
    const y = (value: number | null) => value! * 2;
    const d3Context = (path: object) => path as CanvasRenderingContext2D;
    d3Line<number | null>().defined(isDefined).x(x).y(y).context(d3Context(expectedLine))([...values]);
    line<number | null>().defined(isDefined).x(x).y(y).context(drawnLine)(values);
    assert.equal(drawnLine.toString(), expectedLine.toString());
    d3Area<number | null>().defined(isDefined).x(x).y0(50).y1(y).context(d3Context(expectedArea))([
      ...values,
    ]);
    area<number | null>().defined(isDefined).x(x).y0(50).y1(y).context(drawnArea)(values);
    assert.equal(drawnArea.toString(), expectedArea.toString());
  }
});

test('interpolates between two numbers', () => {
  const between = interpolateNumber(10, -30);
  assert.deepEqual([0, 0.25, 1, 1.5].map(between), [10, 0, -30, -50]);
});
