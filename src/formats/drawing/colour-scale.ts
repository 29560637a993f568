/** Colour scales: blue, white at zero, red; or dark, grey at zero, light for one channel. */
import { BLACK, type Colour, fillRectangle, type Raster } from './raster.ts';
import { drawText, TEXT_HEIGHT, textWidth } from './text.ts';

/** The ends of ColorBrewer's RdBu, safe for colour-blind readers. */
const NEGATIVE: Colour = 0x2166ac;
const POSITIVE: Colour = 0xb2182b;
const GREY: Colour = 0x808080;

export const SCALE_HEIGHT = 26;
export const SCALE_MIN_WIDTH = 120;

/** The largest finite absolute value. The scale ends there on both sides. */
export function magnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest && size !== Number.POSITIVE_INFINITY) largest = size;
  }
  return largest;
}

/** Maps values to colours: zero to white, NaN to grey. */
export function divergingColours(max: number): (value: number) => Colour {
  return (value) => {
    if (Number.isNaN(value)) return GREY;
    const intensity = max === 0 ? 0 : Math.min(1, Math.abs(value) / max);
    const end = value < 0 ? NEGATIVE : POSITIVE;
    return (
      fade(end >> 16, intensity) * 0x10000 +
      fade((end >> 8) & 255, intensity) * 0x100 +
      fade(end & 255, intensity)
    );
  };
}

/** Maps values of one channel to its levels: zero to grey, ± `max` to 255 and 0. */
export const channelLevels = (max: number) => (value: number) =>
  max === 0 ? 128 : Math.round(127.5 + (127.5 * value) / max);

/** All channels alike. */
export const greyLevel = (level: number): Colour => level * 0x010101;

/** Interpolates one colour component from white (intensity 0) to `end` (intensity 1). */
function fade(end: number, intensity: number): number {
  return Math.round(255 + intensity * (end - 255));
}

/**
 * Draws a bar from −max to +max with labels at both ends and at zero; `SCALE_HEIGHT` pixels high.
 * @param toColour colours of −1 … 1
 */
export function drawScale(
  raster: Raster,
  left: number,
  top: number,
  width: number,
  max: number,
  toColour = divergingColours(1),
): void {
  fillRectangle(raster, left, top, width, 12, BLACK);
  for (let x = 1; x < width - 1; x++) {
    fillRectangle(raster, left + x, top + 1, 1, 10, toColour((2 * (x - 1)) / (width - 3) - 1));
  }
  const size = 2;
  const figures = max.toPrecision(2);
  const under = top + SCALE_HEIGHT - size * TEXT_HEIGHT;
  drawText(raster, left, under, `-${figures}`, size);
  drawText(raster, left + Math.floor((width - size * textWidth('0')) / 2), under, '0', size);
  drawText(raster, left + width - size * textWidth(`+${figures}`), under, `+${figures}`, size);
}
