/** Coloured drawings of circles, squares and triangles, from a seed. */
import sharp from 'sharp';

export const SHAPES = ['circle', 'square', 'triangle'] as const;
type Shape = (typeof SHAPES)[number];
type Format = 'png' | 'jpeg' | 'webp';

/** Uniform numbers from 0 to 1 (Park and Miller, 1988). */
export function createUniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}

function isInside(shape: Shape, x: number, y: number, radius: number): boolean {
  switch (shape) {
    case 'circle':
      return x * x + y * y <= radius * radius;
    case 'square':
      return Math.abs(x) <= radius * 0.9 && Math.abs(y) <= radius * 0.9;
    case 'triangle':
      return y <= radius * 0.8 && Math.abs(x) <= (y + radius) * 0.6;
  }
}

/** An encoded image of 96×80, with a shape of a random dark colour, position and size. */
export function drawShape(shape: Shape, uniform: () => number, format: Format = 'png'): Promise<Buffer> {
  const [width, height] = [96, 80];
  const between = (low: number, high: number) => low + uniform() * (high - low);
  const colour = [between(0, 110), between(0, 110), between(0, 110)];
  const paper = [between(215, 255), between(215, 255), between(215, 255)];
  const [centreX, centreY, radius] = [between(38, 58), between(32, 48), between(20, 30)];
  const rgb = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const inside = isInside(shape, (i % width) - centreX, Math.floor(i / width) - centreY, radius);
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = (inside ? colour : paper)[c]!;
  }
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .toFormat(format)
    .toBuffer();
}

/** Images by path: `train/circle/0.png`, `test/circle/0.webp`. */
export async function shapeFolders(train: number, test: number, seed = 1): Promise<Record<string, Buffer>> {
  const uniform = createUniform(seed);
  const formats = ['png', 'jpeg', 'webp'] as const;
  const files: Record<string, Buffer> = {};
  for (const [split, count] of Object.entries({ train, test })) {
    for (let n = 0; n < count; n++) {
      const format = formats[n % formats.length]!;
      for (const shape of SHAPES)
        files[`${split}/${shape}/${n}.${format}`] = await drawShape(shape, uniform, format);
    }
  }
  return files;
}
