/** Archives of drawings in class folders, from a seed: bars of 8×8 in grey, and coloured shapes of 64×64. */
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { createUniform } from '../datasets/upload/shapes.ts';

interface Drawing {
  readonly side: number;
  readonly channels: 1 | 3;
  /** Values of the pixels, from 0 to 255. */
  readonly pixels: Buffer;
}

const toPng = ({ side, channels, pixels }: Drawing): Promise<Buffer> =>
  sharp(pixels, { raw: { width: side, height: side, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();

/** @param draw an image of a class */
async function toArchive(
  classes: readonly string[],
  counts: Readonly<Record<'train' | 'validation' | 'test', number>>,
  draw: (className: string) => Drawing,
): Promise<Buffer> {
  const files: Record<string, Uint8Array> = {};
  for (const [split, count] of Object.entries(counts)) {
    for (const className of classes)
      for (let n = 0; n < count; n++)
        files[`${split}/${className}/${n}.png`] = new Uint8Array(await toPng(draw(className)));
  }
  return Buffer.from(zipSync(files));
}

/**
 * A light row or column on black, with some noise.
 * @param validation images of each class in a validation split
 */
export function bars(validation = 0): Promise<Buffer> {
  const uniform = createUniform(8);
  return toArchive(['column', 'row'], { train: 54, test: 12, validation }, (className) => {
    const at = 1 + Math.floor(6 * uniform());
    const isInside = (i: number) => (className === 'row' ? Math.floor(i / 8) : i % 8) === at;
    const level = (i: number) => Math.floor((isInside(i) ? 200 : 0) + 50 * uniform());
    return { side: 8, channels: 1, pixels: Buffer.from(Array.from({ length: 64 }, (_, i) => level(i))) };
  });
}

const COLOURS = { blue: [40, 60, 210], red: [210, 50, 40] } as const;

/** A disc or a square in a colour on a light background. */
export const COLOUR_CLASSES = ['blue-disc', 'red-disc', 'red-square'] as const;

function drawColourShape(className: string, uniform: () => number): Drawing {
  const [colour, shape] = className.split('-') as [keyof typeof COLOURS, string];
  const [x, y, radius] = [26 + 12 * uniform(), 26 + 12 * uniform(), 12 + 8 * uniform()];
  const paper = [230, 235, 240].map((level) => level - 20 * uniform());
  const pixels = Buffer.alloc(64 * 64 * 3);
  for (let i = 0; i < 64 * 64; i++) {
    const [right, down] = [Math.abs((i % 64) - x), Math.abs(Math.floor(i / 64) - y)];
    const isInside = shape === 'disc' ? Math.hypot(right, down) <= radius : Math.max(right, down) <= radius;
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = isInside ? COLOURS[colour][c]! : paper[c]!;
  }
  return { side: 64, channels: 3, pixels };
}

export function colourShapes(): Promise<Buffer> {
  const uniform = createUniform(64);
  return toArchive(COLOUR_CLASSES, { train: 34, test: 4, validation: 0 }, (className) =>
    drawColourShape(className, uniform),
  );
}

export const colourShape = (className: string): Promise<Buffer> =>
  toPng(drawColourShape(className, createUniform(3)));
