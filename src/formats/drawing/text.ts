/** Text of numbers in two sizes, without an installed font. */
import { fillRectangle, type Raster } from './raster.ts';
import { SMOOTH_GLYPHS } from './smooth-glyphs.ts';

const GLYPH_WIDTH = 3;
const GLYPH_HEIGHT = 5;
/** Width of a smooth glyph, with its margins. */
const SMOOTH_WIDTH = 8;
/** Times 255 it is white. */
const GREY = 0x010101;

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

/**
 * @param scale 1 draws bitmaps; 2 draws DejaVu Sans in shades of grey, in twice the size
 * @throws RangeError for a character without a glyph
 */
export function drawText(raster: Raster, left: number, top: number, text: string, scale: 1 | 2): void {
  const columns = scale === 1 ? GLYPH_WIDTH : SMOOTH_WIDTH;
  for (const [i, character] of [...text].entries()) {
    const shades = scale === 1 ? bitmapShades(character) : SMOOTH_GLYPHS[character];
    if (shades === undefined) throw new RangeError(`There is no glyph for "${character}".`);
    for (const [at, shade] of [...shades].entries()) {
      if (shade === '0') continue;
      const x = left + i * (GLYPH_WIDTH + 1) * scale + (at % columns);
      const y = top + Math.floor(at / columns);
      fillRectangle(raster, x, y, 1, 1, GREY * (255 - 17 * Number.parseInt(shade, 16)));
    }
  }
}

/** The shades of a bitmap, f for black. */
function bitmapShades(character: string): string | undefined {
  const bits = GLYPHS[character]?.toString(2).padStart(GLYPH_WIDTH * GLYPH_HEIGHT, '0');
  return bits?.replaceAll('1', 'f');
}
