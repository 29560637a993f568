import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { npyBytes, npyHeader, parseNpy } from '../../../src/formats/arrays/npy.ts';
import { readNpyHeader } from '../../../src/formats/arrays/npy-header.ts';
import { isAtelierError, npyFixture, onlyAtelierErrors } from '../../datasets/fixtures.ts';

function npyOf(header: string, data: Uint8Array | number, version = 1): Uint8Array {
  const body = typeof data === 'number' ? Buffer.alloc(data) : data;
  const length = version === 1 ? Buffer.alloc(2) : Buffer.alloc(4);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    length,
    Buffer.from(header),
    body,
  ]);
}

const headerOf = (shape: string, descr = "'|u1'", order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

const INTEGERS: Record<string, readonly (number | bigint)[]> = {
  u1: [0, 1, 2, 100, 0, 255],
  u2: [0, 1, 2, 100, 0, 65535],
  u4: [0, 1, 2, 100, 0, 2 ** 32 - 1],
  u8: [0n, 1n, 2n, 100n, 0n, 2n ** 64n - 1n],
  i1: [0, 1, 2, 100, -128, 127],
  i2: [0, 1, 2, 100, -32768, 32767],
  i4: [0, 1, 2, 100, -(2 ** 31), 2 ** 31 - 1],
  i8: [0n, 1n, 2n, 100n, -(2n ** 63n), 2n ** 63n - 1n],
};
const FLOATS: Record<string, readonly number[]> = {
  f2: [0, Math.f16round(1 / 255), -2.5, 65504, 2 ** -24, Infinity],
  f4: [0, Math.fround(1 / 255), -2.5, (2 - 2 ** -23) * 2 ** 127, 2 ** -149, Infinity],
  f8: [0, 1 / 255, -2.5, Number.MAX_VALUE, Number.MIN_VALUE, Infinity],
};

for (const [dtype, values] of Object.entries({ ...INTEGERS, ...FLOATS })) {
  test(`reads NumPy's ${dtype} bit for bit`, async () => {
    const array = parseNpy(await npyFixture(dtype));
    assert.equal(array.dtype, dtype);
    assert.deepEqual(array.shape, [2, 3]);
    assert.deepEqual(Array.from<number | bigint>(array.data), values);
  });
}

const REFUSED_DTYPES = {
  'big-endian': /dtype >f4 is big-endian.*astype\('<f4'\)/,
  bool: /bool/,
  complex: /complex/,
  string: /string/,
  datetime: /<M8\[s\]/,
  object: /object/,
  structured: /structured/,
};
for (const [name, message] of Object.entries(REFUSED_DTYPES)) {
  test(`rejects a ${name} array by name`, async () => {
    const bytes = await npyFixture(name);
    assert.throws(() => parseNpy(bytes), isAtelierError('malformed-body', message));
  });
}

test('converts Fortran order to C order', async () => {
  const array = parseNpy(await npyFixture('fortran'));
  assert.deepEqual(array.shape, [2, 3, 4]);
  assert.deepEqual(
    [...array.data],
    Array.from({ length: 24 }, (_, i) => i),
  );
});

test('reads versions 2 and 3, a scalar and an empty array', async () => {
  for (const name of ['version-2', 'version-3']) {
    assert.deepEqual([...parseNpy(await npyFixture(name)).data], [0, 1, 2, 3, 4, 5]);
  }
  assert.deepEqual(parseNpy(await npyFixture('scalar')), {
    shape: [],
    dtype: 'f8',
    data: new Float64Array([7]),
  });
  assert.deepEqual(parseNpy(await npyFixture('empty')).shape, [0, 784]);
});

test('reads unaligned data and data within a larger buffer', () => {
  const numbers = new Float64Array([1, -2.5]);
  for (const version of [1, 2]) {
    const bytes = npyOf(headerOf('(2,)', "'<f8'"), new Uint8Array(numbers.buffer), version);
    assert.notEqual(readNpyHeader(bytes).dataOffset % 8, 0);
    const within = new Uint8Array(bytes.length + 3);
    within.set(bytes, 3);
    assert.deepEqual(parseNpy(within.subarray(3)).data, numbers);
  }
});

test('a file read in one go is not copied', () => {
  const bytes = npyBytes(new Uint8Array(784), [1, 784]);
  assert.equal(parseNpy(bytes).data.buffer, bytes.buffer);
});

const MALFORMED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', new Uint8Array(), /it is empty/],
  ['another signature', Buffer.from('PK\x03\x04 and so on'), /it is a zip archive, not an \.npy file/],
  ['version 4', npyOf(headerOf('(3,)'), 3, 4), /version is 4/],
  ['the signature alone', npyOf(headerOf('(3,)'), 0).subarray(0, 6), /ends within the header/],
  ['a cut header', npyOf(headerOf('(3,)'), 0).subarray(0, 30), /ends within the header/],
  ['a header past NumPy’s limit', npyOf(headerOf('(3,)').padEnd(20_000), 3), /20000 bytes/],
  ['truncated data', npyOf(headerOf('(3,)'), 2), /takes 3 bytes of data, but the file has 2/],
  ['data left over', npyOf(headerOf('(3,)'), 4), /takes 3 bytes of data, but the file has 4/],
  ['10^12 elements', npyOf(headerOf('(1000000, 1000000)'), 10), /takes 1000000000000 bytes/],
  ['a product past all numbers', npyOf(headerOf(`(${'9007199254740991, '.repeat(25)}0)`), 0), /NaN bytes/],
  ['a negative dimension', npyOf(headerOf('(-1, 3)'), 3), /dimension -1/],
  ['a fractional dimension', npyOf(headerOf('(1.5, 2)'), 3), /dimension 1.5/],
  ['NaN as dimension', npyOf(headerOf('(nan,)'), 3), /dimension nan/],
  ['a hexadecimal dimension', npyOf(headerOf('(0x3,)'), 3), /dimension 0x3/],
  ['an unsafe dimension', npyOf(headerOf('(9007199254740993,)'), 3), /dimension 9007199254740993/],
  ['a missing dimension', npyOf(headerOf('(,3)'), 3), /dimension \(empty\)/],
  ['a shape that is no tuple', npyOf(headerOf('(3)'), 3), /not a tuple/],
  ['no dictionary', npyOf('[1, 2, 3]\n', 3), /not the dictionary|dtype \(none\)/],
  ['no dtype', npyOf("{'fortran_order': False, 'shape': (3,)}", 3), /dtype \(none\)/],
  ['no order', npyOf("{'descr': '|u1', 'shape': (3,)}", 3), /exactly the entries/],
  ['an entry too many', npyOf(headerOf("(3,), 'more': (1,)"), 3), /exactly the entries/],
  ['an entry twice', npyOf(headerOf("(3,), 'shape': (4,)"), 3), /not the dictionary/],
  ['native byte order', npyOf(headerOf('(3,)', "'=f4'"), 12), /=f4/],
  ['a dtype that does not exist', npyOf(headerOf('(3,)', "'<f3'"), 9), /<f3/],
  ['a dtype named like a method', npyOf(headerOf('(3,)', "'<constructor'"), 9), /<constructor/],
];
for (const [name, bytes, message] of MALFORMED) {
  test(`rejects by name: ${name}`, () => {
    assert.throws(() => parseNpy(bytes), isAtelierError('malformed-body', message));
  });
}

test('validates the header from the first bytes of a file', async () => {
  const bytes = await npyFixture('pictures-f8');
  assert.deepEqual(readNpyHeader(bytes.subarray(0, 200), bytes.length).shape, [2, 784]);
  assert.throws(
    () => readNpyHeader(bytes.subarray(0, 200), bytes.length - 1),
    isAtelierError('malformed-body', /bytes of data/),
  );
});

test('arrays are written and read back bit for bit', () => {
  const values = fc.oneof(
    fc.uint8Array(),
    fc.float32Array({ noNaN: true }),
    fc.float64Array({ noNaN: true }),
  );
  fc.assert(
    fc.property(values, (array) => {
      const { data, shape } = parseNpy(npyBytes(array, [1, array.length]));
      assert.deepEqual(data, array);
      assert.deepEqual(shape, [1, array.length]);
    }),
  );
});

test('throws a RangeError for a shape that does not match the values', () => {
  assert.throws(() => npyBytes(new Float32Array(3), [2, 2]), RangeError);
});

test('random bytes after a valid start never crash the reader', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3),
      fc.string(),
      fc.uint8Array({ maxLength: 64 }),
      (version, header, data) => {
        onlyAtelierErrors(() => parseNpy(npyOf(header, data, version)));
      },
    ),
  );
});

test('a file with changed bytes is read or rejected, but never with a wrong size', async () => {
  const originals = await Promise.all(['fortran', 'f2', 'structured', 'version-3'].map(npyFixture));
  const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (original, changes, cut) => {
        const bytes = Uint8Array.from(original);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const part = bytes.subarray(0, cut % 4 === 0 ? cut % bytes.length : bytes.length);
        const array = onlyAtelierErrors(() => parseNpy(part));
        if (array)
          assert.equal(
            array.data.length,
            array.shape.reduce((product, dimension) => product * dimension, 1),
          );
      },
    ),
    { numRuns: 2000 },
  );
});

test('the header of a file to be streamed is the one of the whole file', () => {
  for (const shape of [[3], [1, 3], [3, 1], [3, 1, 1], [1, 3, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 1, 3]]) {
    const whole = npyBytes(new Float32Array(3), shape);
    const head = npyHeader('<f4', shape);
    assert.deepEqual(Buffer.from(head), Buffer.from(whole.subarray(0, -12)), shape.join());
    assert.equal(head.length % 8, 0);
    assert.deepEqual(
      Buffer.from(npyHeader('|u1', shape)),
      Buffer.from(npyBytes(new Uint8Array(3), shape).subarray(0, -3)),
    );
  }
});

test('Fortran order of two dimensions walks the columns first', () => {
  const bytes = npyOf(headerOf('(2, 3)', "'|u1'", 'True'), Uint8Array.of(1, 4, 2, 5, 3, 6));
  assert.deepEqual(parseNpy(bytes).data, Uint8Array.of(1, 2, 3, 4, 5, 6));
});

test('Fortran order of one dimension, or of no numbers, is C order', () => {
  const one = npyOf(headerOf('(3,)', "'|u1'", 'True'), Uint8Array.of(7, 8, 9));
  assert.deepEqual(parseNpy(one), { shape: [3], dtype: 'u1', data: Uint8Array.of(7, 8, 9) });
  const none = npyOf(headerOf('(2, 0)', "'|u1'", 'True'), 0);
  assert.deepEqual(parseNpy(none), { shape: [2, 0], dtype: 'u1', data: new Uint8Array(0) });
});

test('unaligned numbers of two bytes are read from a copy, with either length of header', () => {
  for (const version of [1, 2, 3]) {
    for (const spaces of ['', ' ']) {
      const bytes = npyOf(headerOf('(2,)', "'<u2'") + spaces, Uint8Array.of(1, 2, 3, 4), version);
      assert.deepEqual(parseNpy(bytes).data, Uint16Array.of(0x0201, 0x0403), `${version}${spaces}`);
    }
  }
});

test('a file in shared memory is copied', () => {
  const bytes = npyBytes(Uint8Array.of(1, 2, 3), [3]);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const { data } = parseNpy(shared);
  assert.ok(data.buffer instanceof ArrayBuffer);
  assert.deepEqual([...data], [1, 2, 3]);
});

test('the message for a wrong shape names it and the number of values', () => {
  assert.throws(() => npyBytes(new Float32Array(3), [2, 2]), /Shape \(2, 2\) does not hold 3 values\./);
});
