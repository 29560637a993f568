import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { batteryResults, createTypicalStep } from '../../../../src/numerics/simd/battery/results.ts';
import { kernelModule } from '../cases.ts';

const bytes = readFileSync(new URL('../../../../src/numerics/simd/kernel.wasm', import.meta.url));

function digestOf(module: WebAssembly.Module, wide = false): string {
  const hash = createHash('sha256');
  for (const numbers of batteryResults(module, { wide })) hash.update(numbers);
  return hash.digest('hex');
}

test('all results are finite, and many differ from zero', () => {
  let [count, zeros] = [0, 0];
  for (const numbers of batteryResults(kernelModule, {})) {
    count += numbers.length;
    zeros += numbers.filter((x) => x === 0).length;
    assert.ok(numbers.every(Number.isFinite));
  }
  assert.ok(count > 1e6 && zeros < count / 2, `${zeros} of ${count} are zero`);
});

test('the same kernel gives the same digest, in pairs too', () => {
  const digest = digestOf(kernelModule);
  assert.equal(digestOf(kernelModule), digest);
  assert.equal(digestOf(kernelModule, true), digest);
  createTypicalStep(kernelModule, {})();
});

/** Bytes of f32x4.relaxed_madd, a · b + c, and of f32x4.relaxed_nmadd, c − a · b. */
const MADD = Buffer.of(0xfd, 0x85, 0x02);
const NMADD = Buffer.of(0xfd, 0x86, 0x02);

test('one wrong instruction among hundreds changes the digest, wherever it is', () => {
  const places: number[] = [];
  for (let at = bytes.indexOf(MADD); at >= 0; at = bytes.indexOf(MADD, at + 1)) places.push(at);
  assert.ok(places.length > 100);
  const digest = digestOf(kernelModule);
  for (let n = 0; n < 8; n++) {
    const at = places[Math.floor(((n + 0.5) * places.length) / 8)]!;
    const wrong = Buffer.from(bytes);
    NMADD.copy(wrong, at);
    const module = new WebAssembly.Module(wrong);
    // Some loops are only for pairs, and some only for single rows of pixels.
    assert.ok(
      [true, false].some((wide) => digestOf(module, wide) !== digest),
      `at byte ${at}`,
    );
  }
});
