/** Images of 28×28 pixels, row by row from 0 to 255, and what the drawing pad and the advice do to them. */

export type Pixels = readonly number[];

export const SIDE = 28;
export const BLANK: Pixels = new Array(SIDE * SIDE).fill(0);
const MAX = 255;

export interface Point {
  /** In pixels, from the left edge. */
  readonly x: number;
  readonly y: number;
}

/** Radius of each brush, in pixels. */
export const BRUSHES = { fine: 0.6, medium: 1.2, broad: 2.6, eraser: 2 } as const;
export type Brush = keyof typeof BRUSHES;
/** Width of the edge of a stroke, where its ink fades. */
const SOFTNESS = 1.2;

/** Draws a straight stroke. */
export function draw(pixels: Pixels, from: Point, to: Point, brush: Brush): Pixels {
  const reach = BRUSHES[brush] + SOFTNESS / 2;
  return pixels.map((old, i) => {
    const centre = { x: (i % SIDE) + 0.5, y: Math.floor(i / SIDE) + 0.5 };
    const distance = distanceToSegment(centre, from, to);
    const ink = Math.round(MAX * Math.max(0, Math.min(1, (reach - distance) / SOFTNESS)));
    return brush === 'eraser' ? Math.min(old, MAX - ink) : Math.max(old, ink);
  });
}

function distanceToSegment(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
  const nearest = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - from.x - nearest * dx, point.y - from.y - nearest * dy);
}

const largest = (pixels: Pixels) => Math.max(...pixels);
export const isBlank = (pixels: Pixels) => largest(pixels) === 0;

/** Moves the centre of mass into the middle; what leaves the image is lost. */
function centre(pixels: Pixels): Pixels {
  let [mass, x, y] = [0, 0, 0];
  for (const [i, value] of pixels.entries()) {
    mass += value;
    x += value * (i % SIDE);
    y += value * Math.floor(i / SIDE);
  }
  const middle = (SIDE - 1) / 2;
  const [right, down] = [Math.round(middle - x / mass), Math.round(middle - y / mass)];
  return pixels.map((_, i) => {
    const [column, row] = [(i % SIDE) - right, Math.floor(i / SIDE) - down];
    const isInside = column >= 0 && column < SIDE && row >= 0 && row < SIDE;
    return isInside ? pixels[row * SIDE + column]! : 0;
  });
}

/** The change that a finding of the diagnosis advises, and its name; null if the advice is not a change of pixels. */
export function remedyFor(
  code: string,
  pixels: Pixels,
): { readonly name: string; readonly apply: () => Pixels } | null {
  const factor = MAX / largest(pixels);
  switch (code) {
    case 'inverted':
      return { name: 'Invert', apply: () => pixels.map((value) => MAX - value) };
    case 'transposed':
      return {
        name: 'Transpose',
        apply: () => pixels.map((_, i) => pixels[(i % SIDE) * SIDE + Math.floor(i / SIDE)]!),
      };
    case 'off-centre':
      return { name: 'Centre', apply: () => centre(pixels) };
    case 'unscaled':
      return {
        name: `×${Math.round(factor)}`,
        apply: () => pixels.map((value) => Math.round(value * factor)),
      };
    default:
      return null;
  }
}
