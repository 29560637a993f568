/** Raster images and drawing primitives. */

/** 0xRRGGBB */
export type Colour = number;

/** width × height pixels of three bytes, row by row. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

export const BLACK: Colour = 0x000000;

/** Creates a white raster. */
export function createRaster(width: number, height: number): Raster {
  return { width, height, rgb: new Uint8Array(width * height * 3).fill(255) };
}

/** Fills a rectangle, clipped to the raster. */
export function fillRectangle(
  { width, height, rgb }: Raster,
  left: number,
  top: number,
  columns: number,
  rows: number,
  colour: Colour,
): void {
  const [bottom, right] = [Math.min(height, top + rows), Math.min(width, left + columns)];
  for (let y = Math.max(0, top); y < bottom; y++) {
    for (let x = Math.max(0, left); x < right; x++) {
      const at = (y * width + x) * 3;
      rgb[at] = colour >> 16;
      rgb[at + 1] = (colour >> 8) & 255;
      rgb[at + 2] = colour & 255;
    }
  }
}

/** Draws colours (rows of `columns`) from the upper left corner (left, top), each as a rectangle of `cell` pixels. */
export function drawMatrix(
  raster: Raster,
  left: number,
  top: number,
  colours: readonly Colour[],
  columns: number,
  cell: { readonly width: number; readonly height: number },
): void {
  for (const [i, colour] of colours.entries()) {
    const x = left + (i % columns) * cell.width;
    const y = top + Math.floor(i / columns) * cell.height;
    fillRectangle(raster, x, y, cell.width, cell.height, colour);
  }
}

/** The colours of pixels of three values: red, green and blue. @param toLevel one of them as 0–255 */
export const toColours = (values: ArrayLike<number>, toLevel: (value: number) => number): Colour[] =>
  Array.from(
    { length: values.length / 3 },
    (_, i) =>
      (toLevel(values[3 * i]!) << 16) | (toLevel(values[3 * i + 1]!) << 8) | toLevel(values[3 * i + 2]!),
  );
