import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { writeYaml } from '../../../src/formats/documents/yaml.ts';

test('parsers of YAML 1.1 and 1.2 read back any text and number', () => {
  const odd = [
    'no',
    '~',
    '1e3',
    "a: 'b' # c",
    '"\\',
    '---',
    '- x',
    '&a *b',
    '%',
    '\u0085\u2028\u0007\uFEFF',
    '😀',
  ];
  const text = fc.oneof(fc.constantFrom(...odd), fc.string({ unit: 'binary' }));
  const number = fc.oneof(
    fc.constantFrom(1e-7, 2e21, 0, -0.5),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const flat = fc.record({ text, number });
  const value = fc.record({
    text,
    numbers: fc.array(number),
    list: fc.array(flat),
    nested: fc.record({ flat, none: fc.constant([]) }),
  });
  fc.assert(
    fc.property(value, (written) => {
      const yaml = writeYaml(written);
      for (const version of ['1.1', '1.2'] as const) {
        // Negative zero is written as zero.
        const read = JSON.stringify(parse(yaml, { version }));
        assert.equal(read, JSON.stringify(written), yaml);
      }
    }),
    { numRuns: 30 },
  );
});

test('characters are escaped by as few digits as they need, and numbers have a point before an exponent', () => {
  assert.equal(
    writeYaml({ text: '"\\\u2028\u{e0001}', tiny: 1e-7, list: [{ a: 1, b: 'x' }, 2], none: [] }),
    'text: "\\"\\\\\\u2028\\U000e0001"\ntiny: 1.0e-7\nlist:\n- a: 1\n  b: "x"\n- 2\nnone: []\n',
  );
  assert.throws(() => writeYaml({ a: [[1]] }), /Lists of lists/);
});
