import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtelierError } from '../../../../src/errors.ts';
import { createDefaultModel } from '../../../../src/http/routes/protocols/default-model.ts';
import { isAtelierError } from '../../../datasets/fixtures.ts';

/** A catalog of these models, whose names a test may change. */
function serve(...names: string[]) {
  const state = { names, revision: 1, reads: 0, isAway: false };
  const find = createDefaultModel({
    revision: () => state.revision,
    async list({ limit }: { limit: number }) {
      state.reads++;
      if (state.isAway) throw new AtelierError('storage-unavailable', 'The database does not answer.');
      return { data: state.names.slice(0, limit).map((name) => ({ name })), hasMore: false };
    },
    async get(name: string) {
      if (state.names.includes(name)) return { name };
      throw new AtelierError('model-not-found', `There is no model ${name}.`);
    },
  } as unknown as Parameters<typeof createDefaultModel>[0]);
  return { state, find };
}

test('the default is the only model, or that of the data set among several', async () => {
  assert.equal(await serve('mine').find(), 'mine');
  assert.equal(await serve('a', 'b', 'fashion-mnist').find(), 'fashion-mnist');
  await assert.rejects(serve().find(), isAtelierError('model-not-found', /no model fashion-mnist/));
  await assert.rejects(
    serve('a', 'b').find(),
    isAtelierError(
      'model-not-found',
      /There are several models, and none is called fashion-mnist\. Choose one, as in/,
    ),
  );
});

test('the default is looked up again when a model has changed', async () => {
  const { state, find } = serve('mine');
  await find();
  state.names = ['other'];
  assert.deepEqual([await find(), state.reads], ['mine', 1]);
  state.revision = 2;
  assert.deepEqual([await find(), await find(), state.reads], ['other', 'other', 2]);
});

test('the last default stays while the database is away', async () => {
  const { state, find } = serve('mine');
  state.isAway = true;
  await assert.rejects(find(), isAtelierError('storage-unavailable'));
  state.isAway = false;
  await find();
  Object.assign(state, { isAway: true, revision: 2 });
  assert.equal(await find(), 'mine');
  Object.assign(state, { isAway: false, names: [] });
  await assert.rejects(find(), isAtelierError('model-not-found'));
});
