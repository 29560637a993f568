import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnNamesHeight, rowNamesWidth } from '../../src/charts/parts/class-names.ts';
import { spreadLabels } from '../../src/charts/parts/end-labels.ts';
import { figure } from '../../src/charts/parts/figure.ts';
import { type Position, svgArea, svgLine } from '../../src/charts/parts/path-data.ts';
import { valueScale } from '../../src/charts/parts/scales.ts';
import { fitText, textWidth, wrapText } from '../../src/charts/parts/text.ts';
import { type Point, thinOut } from '../../src/charts/parts/thin.ts';
import { linearTicks, logTicks, wholeTicks } from '../../src/charts/parts/ticks.ts';
import { renderSvg } from '../../src/charts/render.ts';
import { LIGHT } from './samples.ts';

const labels = (ticks: readonly { label: string }[]) => ticks.map(({ label }) => label);

test('labels are pushed apart, stay in order and within their limits, and move only where they overlap', () => {
  assert.deepEqual(spreadLabels([10, 50, 52, 90], 12, 0, 100), [10, 45, 57, 90]);
  assert.deepEqual(spreadLabels([100, 100, 100], 12, 0, 100), [76, 88, 100]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 8 }), (wanted) => {
      const placed = spreadLabels(wanted, 13, 0, 200);
      const sorted = placed.toSorted((a, b) => a - b);
      assert.ok(sorted[0]! >= -1e-9 && sorted.at(-1)! <= 200 + 1e-9);
      for (const [i, at] of sorted.entries()) assert.ok(i === 0 || at - sorted[i - 1]! >= 13 - 1e-9);
      for (const [i, one] of wanted.entries()) {
        for (const [j, other] of wanted.entries()) assert.ok(one >= other || placed[i]! < placed[j]!);
      }
    }),
  );
});

test('a scale from zero ends at the largest value, and has one constant value in its middle', () => {
  const domain = (values: number[], fromZero: boolean) =>
    valueScale(values, { name: 'linear', fromZero }, [300, 0]).domain;
  assert.deepEqual(domain([20, 40], true), [0, 40]);
  assert.deepEqual(domain([20, 40], false), [20, 40]);
  assert.deepEqual(domain([40, 40], true), [0, 80]);
});

test('long lines keep the smallest and the largest value of each column, the last value, and gaps of a column', () => {
  const points: Point[] = Array.from({ length: 10_000 }, (_, x) => ({
    x,
    y: x >= 3000 && x < 3100 ? null : Math.sin(x * x),
  }));
  const columns = (some: readonly Point[]) => ({
    x: some.map(({ x }) => x),
    y: Float64Array.from(some, ({ y }) => y ?? Number.NaN),
  });
  const column = (x: number) => x / 20;
  const thinned = thinOut(columns(points), column);
  assert.ok(thinned.length <= 2 * 501 + 1);
  assert.deepEqual(thinned.at(-1), points.at(-1));
  const extremes = (some: readonly Point[]) =>
    Map.groupBy(some, ({ x }) => Math.round(column(x)))
      .entries()
      .map(([at, group]) => {
        const values = group.flatMap(({ y }) => (y === null ? [] : [y]));
        return [at, values.length === 0 ? null : [Math.min(...values), Math.max(...values)]];
      })
      .toArray();
  assert.deepEqual(extremes(thinned), extremes(points));
  assert.ok(
    thinned.every(({ x }, i) => i === 0 || x > thinned[i - 1]!.x),
    'in order',
  );
  assert.equal(thinOut(columns(points.slice(0, 1000)), column).length, 1000);
});

test('ticks are round values with as many digits as they need', () => {
  assert.deepEqual(labels(linearTicks([0.2, 0.9], 7)), [
    '0.2',
    '0.3',
    '0.4',
    '0.5',
    '0.6',
    '0.7',
    '0.8',
    '0.9',
  ]);
  assert.deepEqual(labels(linearTicks([0, 2e-5], 2)), ['0', '1e−5', '2e−5']);
  assert.deepEqual(labels(linearTicks([-2000, 2000], 4)), ['−2,000', '−1,000', '0', '1,000', '2,000']);
  assert.deepEqual(labels(logTicks([0.001, 1], 5)), ['0.001', '0.01', '0.1', '1']);
  assert.deepEqual(labels(logTicks([0.2, 3], 5)), ['0.2', '0.5', '1', '2']);
  assert.deepEqual(labels(logTicks([0.31, 0.37], 4)), ['0.32', '0.34', '0.36']);
  assert.ok(logTicks([1e-30, 1e10], 5).length <= 8);
  assert.deepEqual(labels(wholeTicks([1, 10], 6)), ['1', '2', '4', '6', '8', '10']);
  assert.deepEqual(labels(wholeTicks([1, 2], 6)), ['1', '2']);
  assert.deepEqual(labels(wholeTicks([7, 7], 6)), ['7']);
});

test('path data is relative, in tenths of a pixel, without accumulated rounding errors', () => {
  const path = svgLine(Array.from({ length: 1001 }, (_, i) => [1.04 + 0.33 * i, -0.26] as const));
  const total = [...path.matchAll(/h([\d.]+)/g)].reduce((sum, [, by]) => sum + Number(by), 0);
  assert.match(path, /^M1-\.3h\.4h\.3/);
  assert.ok(Math.abs(total - 330) < 0.11, `${total}`);
});

test('lines and areas have the path data of d3-shape, with gaps at missing positions', () => {
  for (const [heights, line, area] of [
    [[], '', ''],
    [[null], '', ''],
    [[3], 'M0 6Z', 'M0 6v44Z'],
    [[3, 1.5], 'M0 6l10-3', 'M0 6l10-3v47h-10Z'],
    [
      [3, null, 1, 4, 1, null, null, 5],
      'M0 6ZM20 2l10 6l10-6M70 10Z',
      'M0 6v44ZM20 2l10 6l10-6v48h-10h-10ZM70 10v40Z',
    ],
    [[null, 2, 7, 1, null], 'M10 4l10 10l10-12', 'M10 4l10 10l10-12v48h-10h-10Z'],
  ] as const) {
    const positions = heights.map((height, i): Position | null =>
      height === null ? null : [10 * i, 2 * height],
    );
    assert.deepEqual([svgLine(positions), svgArea(positions, 50)], [line, area]);
  }
});

test('text that does not fit is broken at spaces, or cut with an ellipsis', () => {
  assert.ok(textWidth('iiii') < textWidth('mmmm') && textWidth('猫') > textWidth('m'));
  assert.equal(fitText('Ankle boot', 1000), 'Ankle boot');
  const cut = fitText('Ankle boot of a very long name', 60);
  assert.match(cut, /^Ankle.*…$/);
  assert.ok(textWidth(cut) <= 60);
  const lines = wrapText('The test line represents ten looks at the test set.', 120);
  assert.equal(lines.join(' '), 'The test line represents ten looks at the test set.');
  assert.ok(lines.length > 1 && lines.every((line) => textWidth(line) <= 120));
});

test('widths are those of DejaVu Sans', () => {
  const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, n) => n + 32));
  // The table hmtx of the font, in thousandths of its size: all characters together, and some alone.
  assert.ok(Math.abs(textWidth(printable, { size: 1000 }) - 56_730) < 100);
  for (const [character, width] of Object.entries({
    ' ': 318,
    '0': 636,
    W: 989,
    i: 278,
    m: 974,
    '{': 636,
    '~': 838,
  })) {
    assert.ok(Math.abs(textWidth(character, { size: 1000 }) - width) <= 5, character);
  }
});

test('the subtitle of a chart is beside its title only if a gap is left between them', () => {
  const [title, subtitle] = ['Loss', 'fashion-mnist@1'];
  const texts = textWidth(title, { size: 14, bold: true }) + textWidth(subtitle);
  const draw = (gap: number) => {
    let top = 0;
    const width = 24 + texts + gap;
    const svg = renderSvg(
      figure({ title, subtitle }, { ...LIGHT, width }, (area) => {
        top = area.top;
        return null;
      }),
    );
    return { top, y: Number(/ y="(\d+)"[^>]*>fashion-mnist@1</.exec(svg)![1]) };
  };
  assert.deepEqual(draw(13), { top: 34, y: 22 });
  assert.deepEqual(draw(11), { top: 48, y: 37 });
});

test('a text of exactly the width is neither cut nor broken', () => {
  const width = textWidth('0 00');
  assert.equal(fitText('0 00', width), '0 00');
  assert.equal(fitText('0 00', width - 0.01), '0…');
  assert.deepEqual(wrapText('0 00 0', width), ['0 00', '0']);
  assert.deepEqual(wrapText('0 00 0', width - 0.01), ['0', '00', '0']);
  assert.equal(fitText('00', 1), '');
});

test('a chart has as many lines of notes as take 0.3 of the height above 120 pixels', () => {
  const notes = ['One.', 'Two.'];
  const draw = (height: number) => {
    let area: unknown;
    const svg = renderSvg(
      figure({ title: 'T', subtitle: '', notes }, { ...LIGHT, width: 100, height }, (box) => {
        area = box;
        return null;
      }),
    );
    return [area, Array.from(svg.matchAll(/ y="([\d.]+)"[^>]*>(One|Two)\.</g), ([, y, note]) => [note, y])];
  };
  const box = { left: 12, top: 34, right: 88 };
  assert.deepEqual(draw(100), [{ ...box, bottom: 88 }, []]);
  assert.deepEqual(draw(166), [{ ...box, bottom: 154 }, []]);
  assert.deepEqual(draw(167), [{ ...box, bottom: 141 }, [['One', '155']]]);
  assert.deepEqual(draw(214), [
    { ...box, bottom: 174 },
    [
      ['One', '188'],
      ['Two', '202'],
    ],
  ]);
});

test('names of classes take at most 0.3 of the width, and are upright if a gap of 4 pixels is left', () => {
  const area = { left: 10, top: 0, right: 110, bottom: 100 };
  const zero = textWidth('0');
  assert.equal(rowNamesWidth(['0', '00'], area), 2 * zero + 8);
  assert.equal(rowNamesWidth(['0'.repeat(5)], area), 38);
  const names = ['0', '00'];
  assert.equal(columnNamesHeight(names, 2 * zero + 4.01), 18);
  assert.equal(columnNamesHeight(names, 2 * zero + 3.99), 2 * zero * Math.SQRT1_2 + 18);
  assert.equal(columnNamesHeight(['0'.repeat(20)], 10), 90 * Math.SQRT1_2 + 18);
});
