import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisWidth, horizontalAxis, verticalAxis } from '../../../src/charts/parts/axes.ts';
import { type Child, element } from '../../../src/charts/parts/element.ts';
import { linearScale } from '../../../src/charts/parts/scales.ts';
import { renderSvg } from '../../../src/charts/render.ts';
import { SMALL } from '../elements.ts';

const plot = { left: 20, top: 10, right: 120, bottom: 50 };
const ticks = (...values: readonly number[]) => values.map((value) => ({ value, label: '0'.repeat(2) }));
const draw = (child: Child) => {
  const svg = renderSvg(element('g', {}, child));
  return {
    paths: Array.from(svg.matchAll(/ d="([^"]*)"/g), ([, d]) => d),
    texts: Array.from(svg.matchAll(/<text x="([^"]*)" y="([^"]*)"[^>]*>([^<]*)/g), (found) => found.slice(1)),
  };
};

test('the width of an axis is that of its longest tick and eight pixels', () => {
  assert.equal(axisWidth([]), 8);
  assert.ok(Math.abs(axisWidth([{ value: 1, label: '0' }, ...ticks(2)]) - (2 * 7.04 + 8)) < 1e-9);
});

test('a vertical axis has its ticks at the left, its label above, and a grid unless told', () => {
  const y = linearScale([0, 10], [50, 10], ticks(0, 10));
  const texts = [
    ['14', '53.7', '00'],
    ['14', '13.7', '00'],
    ['3', '1', 'y'],
  ];
  const area = { left: 3, right: 120 };
  assert.deepEqual(draw(verticalAxis(y, 'y', plot, area, SMALL.theme)), {
    paths: ['M20 50h100M20 10h100'],
    texts,
  });
  assert.deepEqual(draw(verticalAxis(y, 'y', plot, area, SMALL.theme, { grid: false })), {
    paths: [],
    texts,
  });
  assert.equal(draw(verticalAxis(y, '', plot, area, SMALL.theme)).texts.length, 2);
});

test('a horizontal axis leaves out ticks that are closer than six pixels to the one before', () => {
  // A text is 14.08 pixels wide.
  const at = (...values: readonly number[]) => {
    const x = linearScale([0, 100], [20, 120], ticks(...values));
    return draw(horizontalAxis(x, '', plot, SMALL.theme))
      .texts.slice(0, -1)
      .map(([left]) => Math.round(10 * (Number(left) - 20)) / 10);
  };
  assert.deepEqual(at(0, 20, 40), [0, 40]);
  assert.deepEqual(at(0, 20.1, 40.1, 41), [0, 20.1, 41]);
  assert.deepEqual(at(0, 21, 43), [0, 21, 43]);
});

test('a horizontal axis has ticks under the plot, its label in the middle, and a grid on request', () => {
  const x = linearScale([0, 100], [20, 120], ticks(0, 50));
  const { paths, texts } = draw(horizontalAxis(x, 'x', plot, SMALL.theme, { grid: true }));
  assert.deepEqual(paths, ['M20 10v40M70 10v40', 'M20 50v4M70 50v4', 'M20 50h100']);
  assert.deepEqual(texts, [
    ['20', '66', '00'],
    ['70', '66', '00'],
    ['70', '81', 'x'],
  ]);
  assert.equal(draw(horizontalAxis(x, 'x', plot, SMALL.theme)).paths.length, 2);
});
