import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { drawPlot } from '../../../src/workers/tasks/draw.ts';

test('a plot has density² pixels for each of its own', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"><rect width="10" height="20" fill="#ff0000"/></svg>';
  for (const density of [1, 3]) {
    const png = sharp(await drawPlot({ svg, width: 10, height: 20, density }));
    const { data, info } = await png.removeAlpha().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [10 * density, 20 * density]);
    assert.deepEqual([...data.subarray(0, 3)], [255, 0, 0]);
  }
});
