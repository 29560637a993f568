import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageUrl } from '../../../src/domain/datasets/representation.ts';

test('an image has a path below the prefix of the service', () => {
  assert.equal(imageUrl('/lab', 'dst_1', 'test', 7), '/lab/v1/datasets/dst_1/splits/test/images/7');
});
