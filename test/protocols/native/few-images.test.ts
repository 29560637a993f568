import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../src/errors.ts';
import { assertFewImages } from '../../../src/protocols/native/few-images.ts';

test('options that make a response slow or large limit its images', () => {
  for (const [parameter, most, shown] of [
    ['diagnose', 10_000, '10,000'],
    ['input', 1000, '1,000'],
  ] as const) {
    assertFewImages(most, parameter);
    assert.throws(
      () => assertFewImages(most + 1, parameter),
      (error) => {
        assert.ok(error instanceof AtelierError);
        assert.deepEqual(error.details, [{ parameter, detail: `allows at most ${shown} images` }]);
        return error.code === 'impossible-request';
      },
    );
  }
});
