import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasetId } from '../../../src/datasets/upload/id.ts';

test('the id is a hash of the content, with the preprocessing if there is one', () => {
  const split = (examples: number) => ({ examples, examplesPerClass: [] });
  const content = {
    digest: 'sha256-x',
    splits: { train: split(8), test: split(4) },
    classNames: ['a', 'b'],
  };
  // printf '["sha256-x",8,4,["a","b"]]' | sha256sum
  assert.equal(
    datasetId({ ...content, preprocessing: null }),
    'dst_4a29be429a31225c13f32d75c3bb7b2513fe2128',
  );
  const preprocessing = { fit: 'contain', background: 'auto', invert: 'never' } as const;
  // The same with ,{"fit":"contain","background":"auto","invert":"never"} at the end of the list.
  assert.equal(datasetId({ ...content, preprocessing }), 'dst_a3709d6dfbe6a57c7c5691aac5aa9f17bf2174ad');
});
