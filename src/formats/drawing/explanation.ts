/** Draws an explanation in three panels. */
import { IMAGE_SIDE } from '../../domain/datasets/representation.ts';
import type { Pixels } from '../../numerics/training/engine.ts';
import { divergingColours, drawScale, magnitude, SCALE_HEIGHT } from './colour-scale.ts';
import { createRaster, drawMatrix, type Raster } from './raster.ts';

const CELL = { width: 8, height: 8 };
const PANEL = IMAGE_SIDE * CELL.width;
const MARGIN = 8;

/** Draws the image (0–255), the occlusion map and the input gradient side by side, each map with its own scale. */
export function drawExplanation(image: Pixels, occlusion: Float64Array, gradient: Float64Array): Raster {
  const raster = createRaster(3 * (PANEL + MARGIN) + MARGIN, PANEL + SCALE_HEIGHT + 3 * MARGIN);
  drawMatrix(raster, MARGIN, MARGIN, image, IMAGE_SIDE, CELL, (value) => Math.round(value) * 0x010101);
  for (const [i, map] of [occlusion, gradient].entries()) {
    const left = MARGIN + (i + 1) * (PANEL + MARGIN);
    const max = magnitude(map);
    drawMatrix(raster, left, MARGIN, map, IMAGE_SIDE, CELL, divergingColours(max));
    drawScale(raster, left, PANEL + 2 * MARGIN, PANEL, max);
  }
  return raster;
}
