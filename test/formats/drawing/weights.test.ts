import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Raster } from '../../../src/formats/drawing/raster.ts';
import { drawWeights, numberedLayers } from '../../../src/formats/drawing/weights.ts';
import { type Architecture, blocks, parameterCount } from '../../../src/numerics/network/architecture.ts';
import { unpack } from '../../../src/numerics/network/layers.ts';
import { dense } from '../../support/dense.ts';

const ARCHITECTURE = dense([784, 3, 2]);

const draw = (
  parameters: Float32Array,
  part: Parameters<typeof drawWeights>[1],
  architecture = ARCHITECTURE,
) => drawWeights({ architecture, parameters }, part);

function network(): Float32Array {
  const parameters = new Float32Array(parameterCount(ARCHITECTURE));
  const [first, second] = unpack(parameters, ARCHITECTURE);
  first!.weights[0] = 0.5;
  first!.weights[784 + 27] = -0.5;
  first!.weights[2 * 784 + 783] = 0.25;
  second!.weights.set([-2, 0, 1, 0, 0, 0]);
  return parameters;
}

/** Number of pixels of each colour. */
function colours({ rgb }: Raster): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < rgb.length; i += 3) {
    const colour = Buffer.from(rgb.subarray(i, i + 3)).toString('hex');
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return counts;
}

/** The pixels in which two images of the same size differ. This omits the scale, which has every colour. */
function difference(one: Raster, other: Raster): Raster {
  assert.deepEqual([one.width, one.height], [other.width, other.height]);
  const changed: number[] = [];
  for (let i = 0; i < one.rgb.length; i += 3) {
    const [a, b] = [one.rgb.subarray(i, i + 3), other.rgb.subarray(i, i + 3)];
    if (Buffer.compare(a, b) !== 0) changed.push(...a);
  }
  return { width: changed.length / 3, height: 1, rgb: Uint8Array.from(changed) };
}

/** The smallest rectangle with all pixels in which two images of the same size differ, and the number of these pixels. */
function changedBox(one: Raster, other: Raster) {
  const changed: [x: number, y: number][] = [];
  for (let i = 0; i < one.width * one.height; i++) {
    const [a, b] = [one, other].map(({ rgb }) => rgb.subarray(3 * i, 3 * i + 3).join());
    if (a !== b) changed.push([i % one.width, Math.floor(i / one.width)]);
  }
  const [xs, ys] = [changed.map(([x]) => x), changed.map(([, y]) => y)];
  return {
    left: Math.min(...xs),
    top: Math.min(...ys),
    right: Math.max(...xs) + 1,
    bottom: Math.max(...ys) + 1,
    count: changed.length,
  };
}

test('maps zero to white, the largest weight to the end of the scale, and half of it to the middle', () => {
  const parameters = network();
  const drawn = draw(parameters, { layer: 1 });
  const plain = parameters.slice();
  // The largest weight is kept, so the scale does not change.
  plain[784 + 27] = 0;
  plain[2 * 784 + 783] = 0;
  const changed = colours(difference(drawn, draw(plain, { layer: 1 })));
  assert.deepEqual([...changed.keys()].sort(), ['2166ac', 'd98c95']);
  const [blue, half] = [changed.get('2166ac')!, changed.get('d98c95')!];
  assert.equal(blue, half);
  assert.ok(Number.isInteger(Math.sqrt(blue)), 'a weight is a square');
});

test('a single unit is drawn larger, in the same colours', () => {
  const parameters = network();
  const without = parameters.slice();
  without[2 * 784 + 783] = 0;
  const area = (unit?: number) =>
    colours(difference(draw(parameters, { layer: 1, unit }), draw(without, { layer: 1, unit })));
  const [all, alone] = [area(), area(2)];
  assert.deepEqual([...alone.keys()], [...all.keys()]);
  assert.equal(all.size, 1);
  assert.ok(alone.get('d98c95')! > 0);
  const other = draw(parameters, { layer: 1, unit: 1 });
  assert.deepEqual(other, draw(without, { layer: 1, unit: 1 }));
});

test('each tile has its unit number', () => {
  const three = draw(network(), { layer: 1 });
  const black = colours(three).get('000000')!;
  const one = colours(draw(network(), { layer: 1, unit: 0 })).get('000000')!;
  assert.ok(black > one);
});

for (const shape of [
  [8, 8],
  [20, 44],
  [64, 64],
] as const) {
  test(`a tile has the shape of images of ${shape.join('×')}`, () => {
    const [rows, columns] = shape;
    const architecture = dense([rows * columns, 3, 2], shape);
    const parameters = new Float32Array(parameterCount(architecture));
    // The last weight of the first row, the first of the last row, and the largest weight, which is kept.
    parameters.set([1], columns - 1);
    parameters.set([-1], columns * (rows - 1));
    parameters.set([1], rows * columns);
    const plain = parameters.slice().fill(0, 0, rows * columns);
    const [one, other] = [parameters, plain].map((each) => draw(each, { layer: 1 }, architecture));
    const { left, top, right, bottom, count } = changedBox(one!, other!);
    const cell = Math.sqrt(count / 2);
    assert.ok(Number.isInteger(cell), `${count} pixels`);
    assert.deepEqual([(right - left) / cell, (bottom - top) / cell], [columns, rows]);
  });
}

test('weights of colours are drawn in their colour, around grey, above a grey scale', () => {
  const architecture = dense([3072, 2, 2], [32, 32, 3]);
  const parameters = new Float32Array(parameterCount(architecture));
  parameters.set([0.5, 0, 0, 0, -0.5, 0, 0, 0, 0.25], 0);
  const drawn = draw(parameters, { layer: 1, unit: 0 }, architecture);
  const found = colours(drawn);
  const cell = found.get('ff8080')!;
  assert.ok(Number.isInteger(Math.sqrt(cell)));
  assert.deepEqual([found.get('800080'), found.get('8080bf')], [cell, cell], 'red, no green, some blue');
  assert.ok(found.get('808080')! >= 1021 * cell);
  for (const colour of found.keys())
    if (!['ff8080', '800080', '8080bf'].includes(colour)) assert.match(colour, /^(..)\1\1$/, 'grey');
});

const convolutional = (inputShape: Architecture['inputShape']): Architecture => ({
  inputShape,
  convolutions: [[4], [8]],
  norm: 'group',
  hidden: [5],
  classes: 3,
});

test('the filters of a first convolution are drawn as tiles of 3×3 weights', () => {
  const architecture = convolutional([28, 28]);
  const parameters = new Float32Array(parameterCount(architecture));
  // Of the third filter: upper right and lower left. The largest weight, of the fourth one, is kept.
  const at = 2 * 9;
  parameters.set([1], 3 * 9);
  const plain = parameters.slice();
  parameters.set([0.5], at + 2);
  parameters.set([-0.5], at + 6);
  const [one, other] = [parameters, plain].map((each) => draw(each, { layer: 1 }, architecture));
  const { left, top, right, bottom, count } = changedBox(one!, other!);
  const cell = Math.sqrt(count / 2);
  assert.deepEqual([(right - left) / cell, (bottom - top) / cell], [3, 3]);
});

test('a filter of colours is drawn in its colour, from kernels with channels first', () => {
  const architecture = convolutional([16, 16, 3]);
  const parameters = new Float32Array(parameterCount(architecture));
  // The first weight of red, and the last one of blue; another filter has the largest.
  parameters.set([0.5], 27);
  parameters.set([-0.5], 2 * 27 - 1);
  parameters.set([1], 3 * 27);
  const found = colours(draw(parameters, { layer: 1, unit: 1 }, architecture));
  const cell = found.get('bf8080')!;
  assert.ok(Number.isInteger(Math.sqrt(cell)), `${[...found.keys()]}`);
  assert.equal(found.get('808040'), cell);
});

test('convolutions, then fully connected layers have numbers, norms and pooling do not', () => {
  const architecture = convolutional([28, 28]);
  const layers = numberedLayers(architecture).map(({ blocks }) => blocks[0]!.name);
  assert.deepEqual(layers, ['K1', 'K2', 'W1', 'W2']);
  const parameters = new Float32Array(parameterCount(architecture)).fill(0.5);
  for (const [layer, units] of [4, 8, 5, 3].entries()) {
    assert.ok(draw(parameters, { layer: layer + 1, unit: units - 1 }, architecture).width > 100);
    assert.throws(
      () => draw(parameters, { layer: layer + 1, unit: units }, architecture),
      /There is no unit/,
    );
  }
  assert.throws(() => draw(parameters, { layer: 5 }, architecture), /There is no layer 5/);
});

test('a layer of more than 4,096 inputs has cells with the largest of several weights', () => {
  const architecture: Architecture = { ...convolutional([64, 64]), convolutions: [[8]], norm: 'none' };
  const parameters = new Float32Array(parameterCount(architecture));
  const { start } = blocks(architecture).find(({ name }) => name === 'W1')!;
  // Two inputs a cell: 0.25 and −0.5 of the first cell, and the largest weight of the layer.
  parameters.set([0.25, -0.5, 0, 1], start);
  const drawn = draw(parameters, { layer: 2, unit: 0 }, architecture);
  assert.ok(drawn.width > 4096 && drawn.width < 4200);
  const other = parameters.slice();
  other.set([0, 0], start);
  const changed = colours(difference(drawn, draw(other, { layer: 2, unit: 0 }, architecture)));
  assert.deepEqual([...changed.keys()], ['90b3d6']);
});

test('a later layer is drawn as a map of units by inputs with its own scale', () => {
  const parameters = network();
  const without = parameters.slice();
  const { weights } = unpack(without, ARCHITECTURE)[1]!;
  weights[2] = 0;
  const drawn = draw(parameters, { layer: 2 });
  const changed = colours(difference(drawn, draw(without, { layer: 2 })));
  assert.deepEqual([...changed.keys()], ['d98c95']);
});

test('a network with zero weights is white except for numbers and scale', () => {
  const { rgb, width } = draw(new Float32Array(parameterCount(ARCHITECTURE)), { layer: 1 });
  const barAt = rgb.length - 3 * width * 40;
  const drawn = colours({ width, height: 1, rgb: rgb.subarray(0, barAt) });
  for (const colour of drawn.keys()) assert.match(colour, /^(.)\1{5}$/, 'numbers are grey');
  const numbers = rgb.subarray(0, barAt).length / 3 - drawn.get('ffffff')!;
  assert.ok(numbers > 0 && numbers < 3 * 80, 'at most a glyph of each unit');
});

test('draws thousands of units, with a glyph for every character of a label', () => {
  const architecture = dense([784, 1300, 11]);
  const parameters = Float32Array.from(
    { length: parameterCount(architecture) },
    (_, i) => Math.sin(i) * 1e-7,
  );
  for (const layer of [1, 2]) assert.ok(draw(parameters, { layer }, architecture).width > 1000);
  parameters.fill(1.5e9);
  assert.ok(draw(parameters, { layer: 2, unit: 10 }, architecture).height < 200);
});

test('the scale and its numbers lie above a white margin of eight pixels', () => {
  for (const layer of [1, 2]) {
    const { rgb, width } = draw(network(), { layer });
    const isWhite = (bytes: Uint8Array) => bytes.every((value) => value === 255);
    const marginAt = rgb.length - 3 * width * 8;
    assert.ok(isWhite(rgb.subarray(marginAt)), `layer ${layer}`);
    assert.ok(!isWhite(rgb.subarray(marginAt - 3 * width, marginAt)), `layer ${layer}`);
  }
});

test('rejects missing layers and units', () => {
  assert.throws(() => draw(network(), { layer: 3 }), /There is no layer 3\./);
  assert.throws(() => draw(network(), { layer: 2, unit: 2 }), /There is no unit 2\./);
});

const sizeOf = ({ width, height }: Raster) => [width, height];

test('tiles are in rows of about 1.6 times as many as columns, twelve pixels a weight at most', () => {
  // Three tiles of 28 · 12, with gaps of 6 and margins of 8; a label of 13, a gap, and the scale of 26.
  const three = draw(network(), { layer: 1 });
  assert.deepEqual(sizeOf(three), [3 * 336 + 2 * 6 + 16, 13 + 336 + 6 + 26 + 16]);
  // √(64 · 1.6) = 10.1, so 11 columns and 6 rows; (1200 / 11 − 6) / 28 = 3.7.
  const many = dense([784, 64, 2]);
  const drawn = draw(new Float32Array(parameterCount(many)), { layer: 1 }, many);
  assert.deepEqual(sizeOf(drawn), [11 * 84 + 10 * 6 + 16, 6 * (13 + 84 + 6) + 26 + 16]);
  // √(1300 · 1.6) = 45.6: 46 columns, 29 rows, a pixel a weight, and small numbers.
  const most = dense([784, 1300, 2]);
  const small = draw(new Float32Array(parameterCount(most)), { layer: 1 }, most);
  assert.deepEqual(sizeOf(small), [46 * 28 + 45 * 6 + 16, 29 * (8 + 28 + 6) + 26 + 16]);
});

test('a single narrow tile leaves room for the scale', () => {
  const architecture = dense([4, 2]);
  const drawn = draw(new Float32Array(10), { layer: 1, unit: 0 }, architecture);
  // A tile of 24 pixels, but a scale of 120.
  assert.deepEqual(sizeOf(drawn), [120 + 16, 13 + 24 + 6 + 26 + 16]);
});

test('a tile lies below its number, in its column and row', () => {
  const architecture = dense([4, 5, 2]);
  const plain = new Float32Array(parameterCount(architecture));
  plain[0] = 1;
  // The fourth unit is the first of the second row: √(5 · 1.6) = 2.8, so three columns. Its last weight is at the lower right.
  const [other, fifth] = [plain.slice(), plain.slice()];
  other[3 * 4 + 3] = 1;
  fifth[4 * 4] = 1;
  const drawn = draw(plain, { layer: 1 }, architecture);
  const top = 8 + (13 + 24 + 6) + 13;
  const { left, top: found, count } = changedBox(drawn, draw(other, { layer: 1 }, architecture));
  assert.deepEqual([left, found, count], [8 + 12, top + 12, 144]);
  const next = changedBox(drawn, draw(fifth, { layer: 1 }, architecture));
  assert.deepEqual([next.left, next.top, next.right, next.bottom], [8 + 30, top, 8 + 42, top + 12]);
});

test('a map has cells of at most 24 pixels, to the right of the units and below the inputs', () => {
  const parameters = network();
  const without = parameters.slice();
  unpack(without, ARCHITECTURE)[1]!.weights[5] = 1;
  const drawn = draw(parameters, { layer: 2 });
  // A number of one smooth glyph takes 2 · 3 + 4; a line of them 2 · 5 + 4.
  assert.deepEqual(sizeOf(drawn), [8 + 10 + 120 + 8, 8 + 14 + 48 + 6 + 26 + 8]);
  const { left, top, right, bottom } = changedBox(drawn, draw(without, { layer: 2 }));
  assert.deepEqual([left, top, right, bottom], [18 + 48, 22 + 24, 18 + 72, 22 + 48]);
});

/** Whether a rectangle has another colour than white. */
function hasInk(
  { width, rgb }: Raster,
  [left, top, right, bottom]: readonly [number, number, number, number],
) {
  for (let y = top; y < bottom; y++)
    if (rgb.subarray(3 * (y * width + left), 3 * (y * width + right)).some((value) => value !== 255))
      return true;
  return false;
}

/** The numbers of the units of a map, and of its inputs, that are drawn; its cells have these sizes. */
function labelled(units: number, inputs: number) {
  const architecture = dense([16, inputs, units]);
  const parameters = new Float32Array(parameterCount(architecture));
  const drawn = draw(parameters, { layer: 2 }, architecture);
  const [width, height] = [inputs, units].map((n) => Math.min(24, Math.floor(1200 / n))) as [number, number];
  const text = height < 12 ? 1 : 2;
  const [left, top] = [8 + text * (4 * `${units - 1}`.length - 1) + 4, 8 + text * 5 + 4];
  assert.deepEqual(sizeOf(drawn), [left + inputs * width + 8, top + units * height + 6 + 26 + 8]);
  const rows = Array.from({ length: units }, (_, i) => i).filter((i) =>
    hasInk(drawn, [8, top + i * height, left - 4, top + (i + 1) * height]),
  );
  return { drawn, rows, left, top };
}

test('the numbers of rows are every first, fifth or tenth, as many as do not overlap', () => {
  // Cells of 12 pixels have large numbers of 10 and a gap; those of 11 small ones of 5.
  assert.equal(labelled(100, 300).rows.length, 100);
  assert.equal(labelled(101, 300).rows.length, 101);
  // 6 pixels are enough for a small number and a gap; 5 are not.
  assert.equal(labelled(200, 300).rows.length, 200);
  const { rows } = labelled(240, 300);
  assert.deepEqual([rows[0], rows.at(-1), rows.length], [0, 235, 48]);
});

test('the numbers of columns have a gap of three pixels, in the size of their digits', () => {
  // Cells of 4 pixels; 299 takes 2 · 11, with a gap 2 · 14: every tenth.
  const { drawn, left } = labelled(100, 300);
  const isDrawn = (column: number) => hasInk(drawn, [left + 4 * column, 8, left + 4 * column + 6, 18]);
  assert.deepEqual([0, 10, 20, 290].map(isDrawn), [true, true, true, true]);
  assert.deepEqual([5, 8, 297].map(isDrawn), [false, false, false]);
});
