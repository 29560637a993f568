import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readServedModel } from '../../../../src/http/routes/protocols/kserve-v2/served-model.ts';
import { readModelName } from '../../../../src/http/routes/protocols/named-model.ts';

test('a path names a model, a version or an alias', () => {
  assert.deepEqual(readModelName({ name: 'm' }), { name: 'm' });
  assert.deepEqual(readModelName({ name: 'm', version: '3' }), { name: 'm', version: 3 });
  assert.deepEqual(readModelName({ name: 'm', version: 'best' }), { name: 'm', version: 'best' });
});

test('an invalid name is a model that does not exist', () => {
  for (const [path, message] of [
    [{ name: 'a b' }, 'Model "a b" does not exist'],
    [{ name: 'm', version: '-1' }, 'Model m has no version "-1"'],
  ] as const)
    assert.throws(() => readModelName(path), {
      code: 'model-not-found',
      message: `${message}. All models are listed at /v1/models.`,
    });
});

test('a name with the suffix :image is the model as an image classifier', () => {
  assert.deepEqual(readServedModel({ name: 'm' }), { name: 'm', asImage: false });
  assert.deepEqual(readServedModel({ name: 'm:image', version: '3' }), {
    name: 'm',
    version: 3,
    asImage: true,
  });
  assert.throws(() => readServedModel({ name: ':image' }), { code: 'model-not-found' });
  assert.throws(() => readServedModel({ name: 'm:image:image' }), { code: 'model-not-found' });
});
