/** Draws an explanation in three panels. */
import { channelCount, type ImageShape } from '../../numerics/network/image-shape.ts';
import type { Pixels } from '../../numerics/training/engine.ts';
import { divergingColours, drawScale, greyLevel, magnitude, SCALE_HEIGHT } from './colour-scale.ts';
import { createRaster, drawMatrix, type Raster, toColours } from './raster.ts';

/** Approximate width of a panel. */
const PANEL_WIDTH = 224;
const MARGIN = 8;

/** Draws the image (0–255), the occlusion map and the input gradient side by side, each map with its own scale. */
export function drawExplanation(
  image: Pixels,
  shape: ImageShape,
  occlusion: Float64Array,
  gradient: Float64Array,
): Raster {
  const [height, columns] = shape;
  const size = Math.max(1, Math.floor(PANEL_WIDTH / columns));
  const cell = { width: size, height: size };
  const width = columns * size;
  const raster = createRaster(3 * (width + MARGIN) + MARGIN, height * size + SCALE_HEIGHT + 3 * MARGIN);
  const colours =
    channelCount(shape) === 3
      ? toColours(image, Math.round)
      : Array.from(image, (value) => greyLevel(Math.round(value)));
  drawMatrix(raster, MARGIN, MARGIN, colours, columns, cell);
  for (const [i, map] of [occlusion, gradient].entries()) {
    const left = MARGIN + (i + 1) * (width + MARGIN);
    const max = magnitude(map);
    drawMatrix(raster, left, MARGIN, Array.from(map, divergingColours(max)), columns, cell);
    drawScale(raster, left, height * size + 2 * MARGIN, width, max);
  }
  return raster;
}
