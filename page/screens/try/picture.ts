/** Pictures as numbers: their rows, and what the drawing pad and the advice do to them. */
import type { ImageShape } from '../../../src/numerics/network/image-shape.ts';
import type { Picture } from '../../components/picture.ts';

const MAX = 255;

export const isSameShape = (a: ImageShape, b: ImageShape): boolean => `${a}` === `${b}`;

/** Rows of numbers, or of pixels of three numbers, as the API reads and writes images. */
export type Rows = readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[];

export function fromRows(rows: Rows): Picture {
  const [height, width] = [rows.length, rows[0]!.length];
  const shape: ImageShape = typeof rows[0]![0] === 'number' ? [height, width] : [height, width, 3];
  return { shape, values: rows.flat(2) };
}

export function toRows({ shape, values }: Picture): Rows {
  const [height, width] = shape;
  const split = <T>(list: readonly T[], size: number) =>
    Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size));
  return shape.length === 3 ? split(split(values, 3), width) : split(values, values.length / height);
}

export function blank(shape: ImageShape): Picture {
  const [height, width] = shape;
  return { shape, values: new Array(height * width * (shape.length === 3 ? 3 : 1)).fill(0) };
}

const largest = ({ values }: Picture) => Math.max(...values);
export const isBlank = (picture: Picture) => largest(picture) === 0;

export interface Point {
  /** In pixels, from the left edge. */
  readonly x: number;
  readonly y: number;
}

/** Radius of each brush, and width of the edge of a stroke, where its ink fades, in seventieths of the shorter side. */
export const BRUSHES = { fine: 1.5, medium: 3, broad: 6.5, eraser: 5 } as const;
export type Brush = keyof typeof BRUSHES;
const SOFTNESS = 3;
/** Smaller pictures have the brushes of this side: finer strokes would miss the middles of all pixels. */
const SMALLEST_SIDE = 16;

/** Draws a straight stroke into a grey picture. */
export function draw({ shape, values }: Picture, from: Point, to: Point, brush: Brush): Picture {
  const [height, width] = shape;
  const unit = Math.max(SMALLEST_SIDE, Math.min(height, width)) / 70;
  const softness = SOFTNESS * unit;
  const reach = BRUSHES[brush] * unit + softness / 2;
  const drawn = values.map((old, i) => {
    const centre = { x: (i % width) + 0.5, y: Math.floor(i / width) + 0.5 };
    const distance = distanceToSegment(centre, from, to);
    const ink = Math.round(MAX * Math.max(0, Math.min(1, (reach - distance) / softness)));
    return brush === 'eraser' ? Math.min(old, MAX - ink) : Math.max(old, ink);
  });
  return { shape, values: drawn };
}

function distanceToSegment(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
  const nearest = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - from.x - nearest * dx, point.y - from.y - nearest * dy);
}

/** Takes each pixel from another place. What comes from outside is black. */
function move(
  { shape, values }: Picture,
  from: (row: number, column: number) => readonly [row: number, column: number],
): Picture {
  const [height, width] = shape;
  const channels = shape.length === 3 ? 3 : 1;
  const moved = values.map((_, i) => {
    const pixel = Math.floor(i / channels);
    const [row, column] = from(Math.floor(pixel / width), pixel % width);
    const isInside = row >= 0 && row < height && column >= 0 && column < width;
    return isInside ? values[(row * width + column) * channels + (i % channels)]! : 0;
  });
  return { shape, values: moved };
}

/** Moves the centre of mass into the middle; what leaves the picture is lost. */
function centre(picture: Picture): Picture {
  const [height, width] = picture.shape;
  const channels = picture.shape.length === 3 ? 3 : 1;
  let [mass, x, y] = [0, 0, 0];
  for (const [i, value] of picture.values.entries()) {
    const pixel = Math.floor(i / channels);
    mass += value;
    x += value * (pixel % width);
    y += value * Math.floor(pixel / width);
  }
  const right = Math.round((width - 1) / 2 - x / mass);
  const down = Math.round((height - 1) / 2 - y / mass);
  return move(picture, (row, column) => [row - down, column - right]);
}

/** The change that a finding of the diagnosis advises, and its name; null if the advice is not a change of pixels. */
export function remedyFor(
  code: string,
  picture: Picture,
): { readonly name: string; readonly apply: () => Picture } | null {
  const { shape, values } = picture;
  const each = (change: (value: number) => number) => () => ({ shape, values: values.map(change) });
  const factor = MAX / largest(picture);
  switch (code) {
    case 'inverted':
      return { name: 'Invert', apply: each((value) => MAX - value) };
    case 'transposed':
      // The diagnosis finds it in square images only.
      return { name: 'Transpose', apply: () => move(picture, (row, column) => [column, row]) };
    case 'off-centre':
      return { name: 'Centre', apply: () => centre(picture) };
    case 'unscaled':
      return { name: `×${Math.round(factor)}`, apply: each((value) => Math.round(value * factor)) };
    default:
      return null;
  }
}
