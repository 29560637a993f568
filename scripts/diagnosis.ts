/**
 * Rates of correct findings of the diagnosis, on 1,000 test images after each kind of change, and rates of false findings
 * on all 10,000 unchanged images.
 *
 *     node scripts/diagnosis.ts
 */
import { loadFashionMnist } from '../src/datasets/fashion-mnist.ts';
import { diagnose } from '../src/numerics/diagnosis/diagnose.ts';
import { computeImageStatistics } from '../src/numerics/diagnosis/image-statistics.ts';
import { inverted, transposed } from '../src/numerics/diagnosis/transformations.ts';
import { DEFAULT_IMAGE_SHAPE, valueCount } from '../src/numerics/network/image-shape.ts';
import { PURPOSE, randomBits } from '../src/numerics/random.ts';
import type { Pixels } from '../src/numerics/training/engine.ts';

const CODES = ['blank', 'unscaled', 'inverted', 'transposed', 'off-centre', 'far-from-training-data'];
const CHANGED = 1000;
const [SIDE] = DEFAULT_IMAGE_SHAPE;
const VALUES = valueCount(DEFAULT_IMAGE_SHAPE);

const draw = (n: number, i: number, below: number) => randomBits(1, PURPOSE.shuffle, n, i) % below;

const turned = (image: Pixels) => transposed(image, DEFAULT_IMAGE_SHAPE);

/** Shifted by 5 to 10 pixels across and up to 8 down; uncovered pixels are black. */
function moved(image: Pixels, n: number): Pixels {
  const dx = (5 + draw(n, 0, 6)) * (draw(n, 1, 2) === 0 ? 1 : -1);
  const dy = draw(n, 2, 17) - 8;
  return image.map((_, i) => {
    const [x, y] = [(i % SIDE) - dx, Math.floor(i / SIDE) - dy];
    const inside = x >= 0 && x < SIDE && y >= 0 && y < SIDE;
    return inside ? image[y * SIDE + x]! : 0;
  });
}

/** Half the size, in one of the corners. */
function cornered(image: Pixels, n: number): Pixels {
  const half = SIDE / 2;
  const [left, top] = [draw(n, 0, 2) * half, draw(n, 1, 2) * half];
  return image.map((_, i) => {
    const [x, y] = [2 * ((i % SIDE) - left), 2 * (Math.floor(i / SIDE) - top)];
    return x >= 0 && x < SIDE && y >= 0 && y < SIDE ? image[y * SIDE + x]! : 0;
  });
}

const CHANGES: Record<string, (image: Pixels, n: number) => Pixels> = {
  'as it is': (image) => image,
  inverted,
  transposed: turned,
  'divided by 255': (image) => Float32Array.from(image, (value) => value / 255),
  '0–16 instead of 0–255': (image) => image.map((value) => Math.round((value * 16) / 255)),
  'transposed, divided by 255': (image) => Float32Array.from(turned(image), (value) => value / 255),
  'inverted, transposed': (image) => inverted(turned(image)),
  moved,
  'half as large, in a corner': cornered,
  'pixels shuffled': (image, n) => {
    const order = Array.from(image.keys(), (i) => [randomBits(2, PURPOSE.shuffle, n, i), i] as const);
    order.sort(([a], [b]) => a - b);
    return image.map((_, i) => image[order[i]![1]]!);
  },
  noise: (image, n) => image.map((_, i) => draw(n, i, 256)),
  'noise added, σ about 74': (image, n) =>
    image.map((value, i) => Math.max(0, Math.min(255, value + draw(n, i, 256) - 128))),
  'rows reversed': (image) =>
    image.map((_, i) => image[(SIDE - 1 - Math.floor(i / SIDE)) * SIDE + (i % SIDE)]!),
};

const dataset = await loadFashionMnist('data');
const startedAt = performance.now();
const statistics = computeImageStatistics(dataset.train, dataset.imageShape, dataset.classNames.length);
const fitMs = performance.now() - startedAt;

function findingFractions(change: (image: Pixels, n: number) => Pixels, count: number): string[] {
  const found = new Map<string, number>();
  let any = 0;
  for (let n = 0; n < count; n++) {
    const image = dataset.test.pixels.slice(n * VALUES, (n + 1) * VALUES);
    const findings = diagnose(change(image, n), dataset.imageShape, statistics);
    if (findings.length > 0) any++;
    for (const { code } of findings) found.set(code, (found.get(code) ?? 0) + 1);
  }
  return [any, ...CODES.map((code) => found.get(code) ?? 0)].map(
    (times) => `${((100 * times) / count).toFixed(2)} %`,
  );
}

console.log(`| image | any | ${CODES.join(' | ')} |\n|---|${'---|'.repeat(CODES.length + 1)}`);
console.log(
  `| all 10,000 test images | ${findingFractions((image) => image, dataset.test.labels.length).join(' | ')} |`,
);
for (const [name, change] of Object.entries(CHANGES)) {
  console.log(`| ${name} | ${findingFractions(change, CHANGED).join(' | ')} |`);
}
const diagnoseMs = performance.now() - startedAt - fitMs;
const images = dataset.test.labels.length + CHANGED * Object.keys(CHANGES).length;
console.log(
  `\nStatistics of ${dataset.train.labels.length} images: ${fitMs.toFixed(0)} ms. A diagnosis: ${(diagnoseMs / images).toFixed(2)} ms.`,
);
