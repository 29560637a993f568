import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createModelService } from '../../../src/services/models/catalog.ts';
import { createModelRegistryService } from '../../../src/services/models/registry.ts';
import { failure, publish, temporaryStore } from '../../store/fixtures.ts';
import { catalogOf } from '../../support/catalog.ts';

async function setUp(t: TestContext) {
  const store = await temporaryStore(t);
  const models = createModelService(store, catalogOf());
  const removed: unknown[] = [];
  const registry = createModelRegistryService(store, models, (versions) => removed.push(versions));
  for (let n = 0; n < 2; n++) await publish(store, 'shoes');
  return { store, models, registry, removed };
}

test('an alias is moved, listed with its moves, and removed', async (t) => {
  const { registry, models } = await setUp(t);
  const before = models.revision();
  const moved = await registry.moveAlias('shoes', 'best', 2, 'anonymous');
  assert.ok(models.revision() > before, 'other requests see the move');
  assert.deepEqual([moved.alias.alias, moved.alias.version, moved.created], ['best', 2, true]);
  assert.equal((await registry.alias('shoes', 'best')).alias.version, 2);
  const { aliases, history } = await registry.aliases('shoes', { limit: 1 });
  assert.ok(aliases.some(({ alias }) => alias === 'best'));
  assert.deepEqual(
    history.data.map(({ alias, version }) => [alias, version]),
    [['best', 2]],
  );
  await registry.removeAlias('shoes', 'best', 'anonymous');
  await assert.rejects(
    registry.alias('shoes', 'best'),
    failure('alias-not-found', 'Model shoes has no alias best.'),
  );
});

test('a model that does not exist has no aliases to list, move or remove', async (t) => {
  const { registry } = await setUp(t);
  for (const attempt of [
    registry.aliases('boots', { limit: 1 }),
    registry.alias('boots', 'best'),
    registry.moveAlias('boots', 'best', 1, 'anonymous'),
    registry.removeAlias('boots', 'best', 'anonymous'),
    registry.annotate('boots', 1, { description: '' }),
    registry.removeVersion('boots', 1),
    registry.removeModel('boots'),
  ]) {
    await assert.rejects(attempt, failure('model-not-found', 'Model boots does not exist.'));
  }
});

test('annotations belong to the version that an alias means', async (t) => {
  const { registry, models } = await setUp(t);
  await registry.moveAlias('shoes', 'best', 1, 'anonymous');
  const annotated = await registry.annotate('shoes', 'best', { description: 'the best' });
  assert.deepEqual([annotated.version, annotated.description], [1, 'the best']);
  assert.equal((await models.version('shoes', 2)).description, null);
});

test('a version that is deleted while it is annotated no longer exists', async (t) => {
  const { registry, store } = await setUp(t);
  t.mock.method(store.models, 'annotate', async () => {
    await registry.removeVersion('shoes', 2);
    return undefined;
  });
  await assert.rejects(registry.annotate('shoes', 2, { description: '' }), failure('model-not-found'));
});

test('a copy becomes the next version of another model, and its original must exist', async (t) => {
  const { registry } = await setUp(t);
  const copied = await registry.copyVersion('boots', 'shoes@2');
  assert.deepEqual(
    [copied.name, copied.version, copied.lineage.copiedFrom],
    ['boots', 1, { name: 'shoes', version: 2 }],
  );
  await assert.rejects(registry.copyVersion('boots', 'shoes@9'), {
    code: 'unknown-model',
    details: [{ pointer: '#/from', detail: 'must be an existing model' }],
  });
});

test('a deletion reports the versions that it has deleted', async (t) => {
  const { registry, removed, models } = await setUp(t);
  await registry.removeVersion('shoes', 2);
  assert.deepEqual(removed, [[{ name: 'shoes', version: 2 }]]);
  await assert.rejects(models.version('shoes', 2), failure('model-not-found'));
  await registry.removeAlias('shoes', 'champion', 'anonymous');
  await registry.removeModel('shoes');
  assert.deepEqual(removed[1], [{ name: 'shoes', version: 1 }]);
  await assert.rejects(models.get('shoes'), failure('model-not-found'));
});
