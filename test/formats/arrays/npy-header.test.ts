import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ANY_NUMBERS,
  NPY_HEAD_BYTES,
  type NpyRules,
  readNpyHeader,
} from '../../../src/formats/arrays/npy-header.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';

/** A file with this text as its header, and zeros. */
function fileOf(header: string, data = 0, version = 1): Buffer {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  const start = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  return Buffer.concat([start, length, Buffer.from(header, 'latin1'), Buffer.alloc(data)]);
}

const headerOf = (descr: string, shape: string) =>
  `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}}`;

function refusal(file: Uint8Array, message: RegExp, rules?: NpyRules): void {
  assert.throws(() => readNpyHeader(file, file.length, rules), isAtelierError('malformed-body', message));
}

test('a header tells type, order, shape, and where the data lies', () => {
  const text = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n";
  for (const [version, start] of [
    [1, 10],
    [2, 12],
    [3, 12],
  ] as const) {
    assert.deepEqual(readNpyHeader(fileOf(text, 24, version)), {
      dtype: 'f4',
      fortranOrder: true,
      shape: [2, 3],
      dataOffset: start + text.length,
      dataBytes: 24,
    });
  }
  assert.equal(readNpyHeader(fileOf(headerOf("'|i1'", '(5,)'), 5)).fortranOrder, false);
});

test('the length of a header has two bytes in version 1, and four in later ones', () => {
  const long = headerOf("'|u1'", '(3,)').padEnd(0x1234);
  for (const version of [1, 2]) {
    const { dataOffset } = readNpyHeader(fileOf(long, 3, version));
    assert.equal(dataOffset, (version === 1 ? 10 : 12) + 0x1234);
  }
  const huge = fileOf('', 0, 2);
  huge.set([4, 3, 2, 1], 8);
  refusal(huge, /its header has 16909060 bytes; the limit is 10000\./);
});

test('a header may have 10,000 bytes, all of which are in the head of a file', () => {
  for (const version of [1, 2]) {
    const file = fileOf(headerOf("'|u1'", '(3,)').padEnd(10_000), 3, version);
    assert.deepEqual(readNpyHeader(file).shape, [3]);
    assert.deepEqual(readNpyHeader(file.subarray(0, NPY_HEAD_BYTES), file.length).shape, [3]);
  }
  refusal(
    fileOf(headerOf("'|u1'", '(3,)').padEnd(10_001), 3),
    /its header has 10001 bytes; the limit is 10000\./,
  );
  assert.equal(NPY_HEAD_BYTES, 10_012);
});

test('a file may end within each part of its header', () => {
  const file = fileOf(headerOf("'|u1'", '()'), 0, 2);
  for (const length of [6, 9, 10, 11, 12, 40, file.length - 1])
    refusal(file.subarray(0, length), /it ends within the header/);
  refusal(file, /shape \(\) of u1 takes 1 bytes of data, but the file has 0/);
  refusal(fileOf('').subarray(0, 10), /dtype \(none\)/);
});

test('versions 1 to 3 are supported', () => {
  refusal(fileOf(headerOf("'|u1'", '(3,)'), 3, 0), /its format version is 0; versions 1 to 3 are supported/);
  refusal(fileOf(headerOf("'|u1'", '(3,)'), 3, 4), /its format version is 4;/);
});

test('another file is named if it is known', () => {
  refusal(Buffer.of(1, 2, 3, 0xff, 0xfe), /it does not start with the signature of an \.npy file/);
  refusal(Buffer.from('\x89PNG\r\n\x1a\n and more', 'latin1'), /it is a PNG image, not an \.npy file/);
});

for (const [descr, shown] of [
  ["'|b1'", '|b1 (bool)'],
  ["'?'", '? (bool)'],
  ["'<c8'", '<c8 (complex)'],
  ["'|O'", '|O (object)'],
  ["'<U7'", '<U7 (string)'],
  ["'|S3'", '|S3 (bytes)'],
  ["'|V5'", '|V5 (void)'],
  ["'<M8[s]'", '<M8[s]'],
  ["'u1'", 'u1'],
  ["'=f4'", '=f4'],
  ["'|f4'", '|f4'],
  ["[('a', '|u1')]", '[…] (structured array)'],
  ["'<abcdefghijklmnopqrstuvwxyz'", '<abcdefghijklmnopqrs'],
] as const) {
  test(`a message shows the dtype ${descr} as ${shown}`, () => {
    assert.throws(
      () => readNpyHeader(fileOf(headerOf(descr, '(1,)'), 1)),
      (error: Error) => {
        assert.match(
          error.message,
          /^The \.npy array cannot be read: dtype .* is not supported; use little-endian u1 u2 /,
        );
        assert.equal(error.message.split(': dtype ')[1]!.split(' is not supported;')[0], shown);
        return true;
      },
    );
  });
}

test('numbers of one byte have no byte order, or any but big-endian', () => {
  assert.equal(readNpyHeader(fileOf(headerOf("'<u1'", '(1,)'), 1)).dtype, 'u1');
  refusal(fileOf(headerOf("'>i2'", '(1,)'), 2), /dtype >i2 is big-endian; save it with \.astype\('<i2'\)/);
});

test('the rules of a reader choose the dtypes, and the advice for others', () => {
  const rules: NpyRules = { ...ANY_NUMBERS, dtypes: ['u1', 'f4'], advise: (dtype) => `not ${dtype}` };
  assert.equal(readNpyHeader(fileOf(headerOf("'<f4'", '(1,)'), 4), undefined, rules).dtype, 'f4');
  refusal(fileOf(headerOf("'<f8'", '(1,)'), 8), /dtype <f8 is not supported; not <f8\.$/, rules);
});

test('dimensions are whole numbers up to 2⁵³ − 1', () => {
  assert.deepEqual(readNpyHeader(fileOf(headerOf("'|u1'", '(9007199254740991, 0)'))).shape, [2 ** 53 - 1, 0]);
  for (const part of ['9007199254740992', '00000000000000001', '+1', '1 2', '1e3'])
    assert.throws(
      () => readNpyHeader(fileOf(headerOf("'|u1'", `(${part}, 1)`), 1)),
      (error: Error) =>
        error.message.includes(`dimension ${part} of its shape is not a whole number from 0 to 2^53 − 1`),
    );
  refusal(
    fileOf(headerOf("'|u1'", `(${'x'.repeat(50)},)`), 1),
    new RegExp(`dimension ${'x'.repeat(40)} of its`),
  );
  refusal(fileOf(headerOf("'|u1'", '(1,,1)'), 1), /dimension \(empty\) of its shape/);
});

test('a shape is a tuple', () => {
  assert.deepEqual(readNpyHeader(fileOf(headerOf("'|u1'", '( 1 , 2 , )'), 2)).shape, [1, 2]);
  assert.deepEqual(readNpyHeader(fileOf(headerOf("'|u1'", '()'), 1)).shape, []);
  refusal(fileOf(headerOf("'|u1'", '(1)'), 1), /its shape \(1\) is not a tuple/);
  const long = `(${'1'.repeat(60)})`;
  refusal(fileOf(headerOf("'|u1'", long), 1), new RegExp(`its shape \\(${'1'.repeat(39)} is not a tuple`));
  refusal(fileOf(headerOf("'|u1'", "'(1,)'"), 1), /its header has no shape/);
});

test('the order is True or False', () => {
  const text = headerOf("'|u1'", '(1,)');
  refusal(
    fileOf(text.replace('False', '(1,)'), 1),
    /exactly the entries descr, fortran_order \(True or False\) and/,
  );
  refusal(fileOf(text.replace('fortran_order', 'order'), 1), /exactly the entries/);
});

test('a dictionary may have spaces, but nothing before, between or behind its entries', () => {
  const spaced = "{ 'descr' : '|u1' ,\n'fortran_order':False, 'shape':(1,) }  \n";
  assert.deepEqual(readNpyHeader(fileOf(spaced, 1)).shape, [1]);
  const text = headerOf("'|u1'", '(1,)');
  for (const changed of [text.replace(", 'shape'", ", x 'shape'"), text.replace("{'descr'", "{x 'descr'")])
    refusal(fileOf(changed, 1), /its header is not the dictionary that NumPy writes/);
  refusal(
    fileOf(text.replace('{', "{'descr': '|u1', "), 1),
    /its header is not the dictionary that NumPy writes/,
  );
  refusal(fileOf(` ${text}`, 1), /dtype \(none\)/);
  refusal(fileOf(`${text}x`, 1), /dtype \(none\)/);
});
