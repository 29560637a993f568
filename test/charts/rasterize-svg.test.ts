import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rasterizeSvg } from '../../src/charts/rasterize-svg.ts';

const draw = (text: string, density = 1) =>
  rasterizeSvg(`<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">${text}</svg>`, density);

test('a text without a font has that of the charts, and a bold one its own font', () => {
  const plain = draw('<text y="9">a</text>');
  assert.deepEqual(draw('<text y="9" font-family="DejaVu Sans">a</text>'), plain);
  for (const other of ['<text y="9" font-weight="bold">a</text>', ''])
    assert.notDeepEqual(draw(other), plain);
});

test('the picture has as many pixels as its density says', () => {
  for (const density of [1, 3]) {
    const header = Buffer.from(draw('', density));
    assert.deepEqual([header.readUInt32BE(16), header.readUInt32BE(20)], [20 * density, 10 * density]);
  }
});
