import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPage, endOfStruct } from '../../../src/formats/parquet/bounds.ts';

const reject = (defect: string): never => {
  throw new RangeError(defect);
};
const end = (...bytes: number[]) => endOf(bytes);
const endOf = (bytes: readonly number[]) => endOfStruct(Uint8Array.from(bytes), 0, reject);

test('the end of a struct is after its fields, of all types', () => {
  assert.equal(end(0x11, 0x12, 0), 3); // two booleans
  assert.equal(end(0x13, 7, 0x15, 0x80, 1, 0), 6); // a byte, a number of two bytes
  assert.equal(end(0x17, ...new Array(8).fill(0), 0x18, 2, 65, 66, 0), 14); // a double, a text
  assert.equal(end(0x19, 0x35, 1, 2, 3, 0), 6); // a list of three numbers
  assert.equal(end(0x19, 0x21, 1, 2, 0), 5); // booleans take a byte each in a list
  assert.equal(end(0x1c, 0x15, 2, 0, 0), 5); // a struct
  assert.equal(end(0x05, 30, 2, 0, 9), 4); // a field by its number; a byte after the struct
});

test('a struct that is cut has no end', () => {
  assert.equal(end(), undefined);
  assert.equal(end(0x15, 2), undefined);
  assert.equal(end(0x18, 9, 65, 0), undefined);
  // A list of 2³¹ − 1 structs in seven bytes.
  assert.equal(end(0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7), undefined);
});

test('what cannot be the metadata of a file is rejected', () => {
  for (const [bytes, message] of [
    [[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], /negative length/],
    [[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], /negative length/],
    [[0x15, ...new Array(11).fill(0x80), 0], /too long/],
    [[0x1b, 0, 0], /damaged/], // a map
    [new Array(40).fill(0x1c), /too large/], // nested structs
    [[0x19, 0xfc, 0x80, 0x89, 0x7a, ...new Array(2_000_000).fill(0)], /too large/], // two million structs
  ] as const)
    assert.throws(() => endOf(bytes), message);
});

/** A page of version 1 with definition levels, then values in a dictionary. */
function page(levels: readonly number[], values: readonly number[]): Uint8Array {
  return Uint8Array.from([levels.length, 0, 0, 0, ...levels, ...values]);
}
const check = (bytes: Uint8Array, values: number, encoding = 'RLE_DICTIONARY') =>
  checkPage(bytes, { values, encoding }, [0, 1], reject);

test('runs have as many values as the page', () => {
  // A run of eight ones, then a run of eight zeros with one bit each.
  check(page([16, 1], [1, 16, 0]), 8);
  // One group of eight packed bits for five values, and a block of 256 as DuckDB writes it.
  check(page([3, 0xff], [1, 3, 0x1f]), 5);
  check(page([65, ...new Array(32).fill(0xff)], [1, 3, 0xff]), 8);
  for (const bytes of [
    page([18, 1], [1, 16, 0]), // nine levels
    page([16, 1], [1, 0xff, 0xff, 0xff, 0xff, 7, 0]), // 2³⁰ values
    page([0xff, 0xff, 0xff, 0xff, 0x0f, 1], [1, 16, 0]),
    page([16, 1], [33, 16, 0, 0, 0, 0, 0]), // 33 bits
    page([16, 1, 1], []).subarray(0, 6), // levels that continue after the page
  ])
    assert.throws(() => check(bytes, 8), RangeError);
});

test('an encoding whose length is not bounded is rejected by its name', () => {
  assert.throws(
    () => check(page([16, 1], []), 8, 'DELTA_BYTE_ARRAY'),
    /encoding DELTA_BYTE_ARRAY.*plain values/,
  );
});
