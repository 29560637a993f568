import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  jobPlotQuerySchema,
  pathPlotQuerySchema,
  plotQuerySchema,
  searchPlotQuerySchema,
} from '../../../src/domain/reports/plots.ts';

test('a plot has a width, a theme and a density by default, and one of a job a linear scale', () => {
  const defaults = { width: 640, theme: 'light', density: 1 };
  assert.deepEqual(plotQuerySchema.parse({}), defaults);
  assert.deepEqual(jobPlotQuerySchema.parse({}), { ...defaults, scale: 'linear' });
  assert.deepEqual(searchPlotQuerySchema.parse({ scale: 'log' }), { ...defaults, scale: 'log' });
  assert.deepEqual(pathPlotQuerySchema.parse({}), {
    ...defaults,
    snapshots: 100,
    grid: 25,
    examples: 2500,
    margin: 0.2,
  });
});

test('the options of a plot have limits', () => {
  for (const [option, smallest, largest] of [
    ['width', 240, 2000],
    ['height', 160, 1600],
    ['density', 1, 4],
    ['last', 1, 10_000],
  ] as const) {
    const isValid = (value: number) => jobPlotQuerySchema.safeParse({ [option]: String(value) }).success;
    assert.deepEqual([smallest, largest].map(isValid), [true, true], option);
    assert.deepEqual([smallest - 1, largest + 1].map(isValid), [false, false], option);
  }
});

test('a plot of a job shows up to seven others by their ids', () => {
  const id = 'job_01ARZ3NDEKTSV4RRFFQ69G5FAV';
  const isValid = (ids: string) => jobPlotQuerySchema.safeParse({ with: ids }).success;
  const seven = Array(7).fill(id).join(',');
  assert.deepEqual([id, seven].map(isValid), [true, true]);
  assert.deepEqual([`${seven},${id}`, '', `${id},`, `${id};${id}`].map(isValid), [
    false,
    false,
    false,
    false,
  ]);
});
