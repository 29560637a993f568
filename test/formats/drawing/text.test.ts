import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRaster } from '../../../src/formats/drawing/raster.ts';
import { drawText } from '../../../src/formats/drawing/text.ts';

test('text leaves the background between its strokes as it was', () => {
  for (const scale of [1, 2] as const) {
    const raster = createRaster(16, 16);
    raster.rgb.fill(100);
    drawText(raster, 1, 1, '1', scale);
    const levels = new Set(raster.rgb);
    assert.ok(levels.has(0) && levels.has(100) && !levels.has(255), `${[...levels]}`);
  }
});
