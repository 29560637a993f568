/** Parsers that each fail in a forbidden way for some of their inputs. */
import type { Parsers } from '../../../scripts/fuzz/input.ts';
import { AtelierError } from '../../../src/errors.ts';

const files = [Uint8Array.of(1, 2, 3)];
const held: Uint8Array[] = [];

function at(number: number, fail: () => unknown): () => { files: Uint8Array[]; parse: () => unknown } {
  let index = 0;
  return () => ({
    files,
    parse() {
      if (++index === number) return fail();
      if (index % 2 === 0) throw new AtelierError('malformed-body', 'It is even.');
      return index;
    },
  });
}

export const all: Parsers = {
  throws: at(3, () => {
    throw new TypeError('x is not a function');
  }),
  hangs: at(5, () => {
    for (;;);
  }),
  dies: at(7, () => process.kill(process.pid, 'SIGSEGV')),
  grows: at(4, () => held.push(new Uint8Array(2 ** 29).fill(1))),
};
