import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flag, rejectOption } from '../../../src/domain/predictions/image-query.ts';

test('a flag is true or false as text, and false if it is left out', () => {
  assert.deepEqual(
    [undefined, 'false', 'true'].map((value) => flag.parse(value)),
    [false, false, true],
  );
  for (const wrong of ['', '1', 'TRUE', true]) assert.equal(flag.safeParse(wrong).success, false);
});

test('an option that does not apply is named with its value and its place', () => {
  const detail = 'The body has no numbers.';
  assert.throws(() => rejectOption('pixels', '0-1', detail), {
    code: 'invalid-request',
    message: `The option ?pixels=0-1 does not apply to this body. ${detail} Leave the option out.`,
    details: [{ parameter: 'pixels', detail }],
  });
});
