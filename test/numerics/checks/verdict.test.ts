import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ADVICE, verdict } from '../../../src/numerics/checks/verdict.ts';

/** The verdict on a check of 100 coordinates that passes but for the changes. */
function judge({
  kinks = 0,
  passed = [true, true],
  noiseDominates = false,
  belowDefault = false,
  vanished = false,
}): keyof typeof ADVICE | null {
  const whole = { kinks, coordinates: 100, noiseDominates } as Parameters<typeof verdict>[0];
  return verdict(
    whole,
    passed.map((each) => ({ passed: each })),
    { belowDefault, vanished },
  );
}

for (const [changes, reason] of [
  [{}, null],
  [{ kinks: 5 }, null],
  [{ kinks: 6 }, 'too-many-kinks'],
  [{ kinks: 6, passed: [true, false] }, 'too-many-kinks'],
  [{ passed: [true, false] }, 'gradient-differs'],
  [{ passed: [true, false], noiseDominates: true, belowDefault: true }, 'gradient-differs'],
  [{ noiseDominates: true, belowDefault: true }, 'step-too-small'],
  [{ noiseDominates: true }, null],
  [{ belowDefault: true }, null],
  [{ vanished: true, belowDefault: true, kinks: 6 }, 'step-too-small'],
  [{ vanished: true, passed: [false] }, 'parameters-too-large'],
] as const) {
  test(`the verdict of ${JSON.stringify(changes)} is ${reason}`, () => {
    assert.equal(judge(changes as Parameters<typeof judge>[0]), reason);
  });
}
