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
