import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '../../../src/domain/models/representation.ts';
import { modelStatus } from '../../../src/protocols/tensorflow/model-status.ts';

test('the status of a model has its newest version and those with an alias, the newest first', () => {
  const model = { latest: { version: 12 }, aliases: { champion: 3, candidate: 12, old: 10 } };
  const { model_version_status } = modelStatus(model as unknown as Model);
  assert.deepEqual(
    model_version_status.map(({ version }) => version),
    ['12', '10', '3'],
  );
});
