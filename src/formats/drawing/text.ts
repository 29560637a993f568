/** Small bitmap text for numbers, so that no fonts need to be installed. */
import { BLACK, fillRectangle, type Raster } from './raster.ts';

const GLYPH_WIDTH = 3;
const GLYPH_HEIGHT = 5;

/** Five rows of three pixels; the upper left pixel is the highest of fifteen bits. */
const GLYPHS: Readonly<Record<string, number>> = {
  '0': 0b111_101_101_101_111,
  '1': 0b010_110_010_010_111,
  '2': 0b111_001_111_100_111,
  '3': 0b111_001_111_001_111,
  '4': 0b101_101_111_001_001,
  '5': 0b111_100_111_001_111,
  '6': 0b111_100_111_101_111,
  '7': 0b111_001_010_010_010,
  '8': 0b111_101_111_101_111,
  '9': 0b111_101_111_001_111,
  '.': 0b000_000_000_000_010,
  '-': 0b000_000_111_000_000,
  '+': 0b000_010_111_010_000,
  e: 0b000_111_111_100_111,
  ' ': 0,
};

export const TEXT_HEIGHT = GLYPH_HEIGHT;

/** Width of a text in pixels at scale 1. */
export function textWidth(text: string): number {
  return Math.max(0, text.length * (GLYPH_WIDTH + 1) - 1);
}

/** @throws RangeError for a character without a glyph */
export function drawText(raster: Raster, left: number, top: number, text: string, scale = 1): void {
  for (const [i, character] of [...text].entries()) {
    const glyph = GLYPHS[character];
    if (glyph === undefined) throw new RangeError(`There is no glyph for "${character}".`);
    for (let bit = 0; bit < GLYPH_WIDTH * GLYPH_HEIGHT; bit++) {
      if (((glyph >> (GLYPH_WIDTH * GLYPH_HEIGHT - 1 - bit)) & 1) === 0) continue;
      const x = left + (i * (GLYPH_WIDTH + 1) + (bit % GLYPH_WIDTH)) * scale;
      const y = top + Math.floor(bit / GLYPH_WIDTH) * scale;
      fillRectangle(raster, x, y, scale, scale, BLACK);
    }
  }
}
