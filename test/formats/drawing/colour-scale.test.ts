import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  channelLevels,
  divergingColours,
  drawScale,
  greyLevel,
  magnitude,
} from '../../../src/formats/drawing/colour-scale.ts';
import {
  createRaster,
  drawMatrix,
  fillRectangle,
  type Raster,
  toColours,
} from '../../../src/formats/drawing/raster.ts';
import { drawText, textWidth } from '../../../src/formats/drawing/text.ts';

/** Rows of hexadecimal colours. */
const rows = ({ width, height, rgb }: Raster) =>
  Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (__, x) =>
      Buffer.from(rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)).toString('hex'),
    ),
  );
/** Rows of # for black, . for white and + for other colours. */
const picture = (raster: Raster) =>
  rows(raster).map((row) => row.map((colour) => ({ '000000': '#', ffffff: '.' })[colour] ?? '+').join(''));

test('the largest finite value ends the scale', () => {
  assert.equal(magnitude([0.5, -2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1]), 2);
  assert.equal(magnitude([]), 0);
});

test('values are blue below zero, white at zero, red above, and grey if they are not numbers', () => {
  const toColour = divergingColours(2);
  // The middle of white and an end: (0xff + 0x21) / 2 = 0x90, and so on.
  for (const [value, colour] of [
    [0, 0xffffff],
    [-2, 0x2166ac],
    [-1, 0x90b3d6],
    [2, 0xb2182b],
    [1, 0xd98c95],
    [9, 0xb2182b],
    [Number.NaN, 0x808080],
  ] as const)
    assert.equal(toColour(value), colour, `${value}`);
  assert.equal(divergingColours(0)(0), 0xffffff);
});

test('one channel is dark below zero, grey at zero, light above', () => {
  assert.deepEqual([-2, -1, 0, 1, 2].map(channelLevels(2)), [0, 64, 128, 191, 255]);
  assert.equal(channelLevels(0)(0), 128);
  assert.equal(greyLevel(0x80), 0x808080);
  assert.deepEqual(
    toColours([1, 2, 3, 255, 254, 253], (value) => value),
    [0x010203, 0xfffefd],
  );
});

test('rectangles are clipped, and a matrix is drawn row by row', () => {
  const raster = createRaster(4, 3);
  fillRectangle(raster, -1, -1, 2, 2, 0);
  fillRectangle(raster, 3, 2, 5, 5, 0);
  assert.deepEqual(picture(raster), ['#...', '....', '...#']);
  const cells = createRaster(5, 4);
  drawMatrix(cells, 1, 1, [0x010203, 0x0a0b0c, 0x111213], 2, { width: 2, height: 1 });
  assert.deepEqual(rows(cells).slice(1, 3), [
    ['ffffff', '010203', '010203', '0a0b0c', '0a0b0c'],
    ['ffffff', '111213', '111213', 'ffffff', 'ffffff'],
  ]);
});

test('small text has glyphs of three by five pixels, and one pixel between them', () => {
  const raster = createRaster(11, 7);
  drawText(raster, 1, 1, '17.', 1);
  assert.deepEqual(picture(raster), [
    '...........',
    '..#..###...',
    '.##....#...',
    '..#...#....',
    '..#...#....',
    '.###..#...#',
    '...........',
  ]);
  assert.deepEqual(['', '1', '10'].map(textWidth), [0, 3, 7]);
  assert.throws(() => drawText(raster, 0, 0, 'x', 1), new RangeError('There is no glyph for "x".'));
});

test('large text has glyphs of eight by ten shades, at the same distances', () => {
  const raster = createRaster(18, 12);
  drawText(raster, 1, 1, '-1', 2);
  const [first, second] = rows(raster)
    .slice(6, 8)
    .map((row) => row.join(' '));
  const [white, seven, eight] = ['ffffff', '888888', '777777'];
  // The sixth row of "-" is 07777770, in shades of 17: 255 − 7 · 17 = 0x88. That of "1" is 0008b000.
  const bar = (shade: string) => [white, white, ...new Array(6).fill(shade), white].join();
  assert.equal(first!.split(' ').slice(0, 9).join(), bar(seven!));
  assert.equal(second!.split(' ').slice(0, 9).join(), bar(eight!));
  assert.equal(first!.split(' ').slice(11, 15).join(), [white, eight, '444444', white].join());
});

test('the scale is a framed bar from −1 to 1 with its ends and zero below', () => {
  const raster = createRaster(122, 28);
  drawScale(raster, 1, 1, 120, 0.5, (value) => Math.round(100 + 50 * value) * 0x010101);
  const colours = rows(raster);
  const black = '000000';
  assert.ok(colours[1]!.slice(1, 121).every((colour) => colour === black));
  assert.ok(colours[12]!.slice(1, 121).every((colour) => colour === black));
  assert.ok(colours.slice(1, 13).every((row) => row[1] === black && row[120] === black));
  assert.ok(colours.slice(0, 14).every((row) => row[0] === 'ffffff' && row[121] === 'ffffff'));
  // −1 in the first column within the frame, +1 in the last one.
  for (const y of [2, 11]) assert.deepEqual([colours[y]![2], colours[y]![119]], ['323232', '969696']);
  assert.ok(colours[13]!.every((colour) => colour === 'ffffff'));
  const inked = (from: number, to: number) =>
    colours.slice(17, 27).some((row) => row.slice(from, to).some((colour) => colour !== 'ffffff'));
  // "-0.50" and "+0.50" are 2 · (5 · 4 − 1) = 38 pixels wide, "0" is 6 in the middle.
  assert.deepEqual(
    [inked(1, 40), inked(41, 57), inked(57, 66), inked(66, 82), inked(83, 121)],
    [true, false, true, false, true],
  );
  assert.ok(colours[27]!.every((colour) => colour === 'ffffff'));
});
