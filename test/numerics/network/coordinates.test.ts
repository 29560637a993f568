import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Coordinate } from '../../../src/numerics/checks/perturbed-loss.ts';
import { blocks } from '../../../src/numerics/network/architecture.ts';
import { chooseCoordinates, locate, multiIndex } from '../../../src/numerics/network/coordinates.ts';
import { dense } from '../../support/dense.ts';

test('a sample is ascending, without repetition, within the vector, and has the requested size', () => {
  const parameters = fc.integer({ min: 1, max: 500 });
  fc.assert(
    fc.property(parameters, fc.integer({ min: 1, max: 600 }), fc.nat(), (count, sample, seed) => {
      const chosen = chooseCoordinates({ sample }, count, seed);
      assert.equal(chosen.length, Math.min(sample, count));
      assert.ok(chosen.every((position, i) => position < count && (i === 0 || position > chosen[i - 1]!)));
    }),
  );
});

test('every coordinate is as likely to be sampled as any other', () => {
  const counts = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 3000; seed++) {
    for (const position of chooseCoordinates({ sample: 3 }, 10, seed)) counts[position]!++;
  }
  for (const count of counts) assert.ok(Math.abs(count - 900) < 5 * Math.sqrt(900), `${counts}`);
});

test('a sample depends on the seed, and an empty sample is rejected', () => {
  assert.deepEqual(chooseCoordinates({ sample: 9 }, 100, 1), chooseCoordinates({ sample: 9 }, 100, 1));
  assert.notDeepEqual(chooseCoordinates({ sample: 9 }, 100, 1), chooseCoordinates({ sample: 9 }, 100, 2));
  assert.throws(() => chooseCoordinates({ sample: 0 }, 100, 1), /at least one coordinate, not 0/);
});

test('a coordinate is located by layer, unit and input', () => {
  const found = blocks(dense([3, 2, 4])).flatMap((block, b) =>
    Array.from({ length: block.end - block.start }, (_, offset) => {
      const out: Coordinate = { layer: 9, unit: 9, input: 9 };
      locate(out, b, block, block.start + offset);
      return `${block.name}${JSON.stringify(multiIndex(block, block.start + offset))} ${Object.values(out)}`;
    }),
  );
  assert.equal(found.length, 20);
  assert.equal(found[5], 'W1[1,2] 0,1,2');
  assert.equal(found[7], 'b1[1] 0,1,');
  assert.equal(found[15], 'W2[3,1] 1,3,1');
  assert.equal(found[19], 'b2[3] 1,3,');
});
