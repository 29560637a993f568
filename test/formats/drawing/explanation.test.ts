import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawExplanation } from '../../../src/formats/drawing/explanation.ts';
import type { Raster } from '../../../src/formats/drawing/raster.ts';
import { valueCount } from '../../../src/numerics/network/image-shape.ts';

/** Width of a panel and its distance from the next one. */
const PANELS = { '8×8': [224, 28], '28×28': [224, 8], '20×44': [220, 5], '64×64×3': [192, 3] } as const;
const MARGIN = 8;

function pixelAt({ width, rgb }: Raster, x: number, y: number): string {
  return Buffer.from(rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)).toString('hex');
}

for (const shape of [
  [8, 8],
  [28, 28],
  [20, 44],
  [64, 64, 3],
] as const) {
  const shown = shape.join('×') as keyof typeof PANELS;
  test(`draws an image of ${shown} beside two maps with a cell for each of its pixels`, () => {
    const [height, width] = shape;
    const image = Uint8Array.from({ length: valueCount(shape) }, (_, i) => (i * 37) % 256);
    const [occlusion, gradient] = [new Float64Array(height * width), new Float64Array(height * width)];
    occlusion[width - 1] = 2;
    gradient[width * (height - 1)] = -3;
    const drawn = drawExplanation(image, shape, occlusion, gradient);
    const [panel, cell] = PANELS[shown];
    assert.equal(drawn.width, 3 * (panel + MARGIN) + MARGIN);
    for (const y of [0, height - 1])
      for (const x of [0, width - 1]) {
        const at = (map: number) =>
          pixelAt(drawn, MARGIN + map * (panel + MARGIN) + x * cell, MARGIN + y * cell);
        const channels = shape.length === 3 ? 3 : 1;
        const first = (y * width + x) * channels;
        const values = [0, 1, 2].map((channel) => image[first + (channel % channels)]!);
        assert.equal(at(0), Buffer.from(values).toString('hex'), `${x}, ${y}`);
        assert.equal(at(1), y === 0 && x > 0 ? 'b2182b' : 'ffffff');
        assert.equal(at(2), y > 0 && x === 0 ? '2166ac' : 'ffffff');
      }
  });
}
