import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import type { Model, ModelVersion } from '../../../src/domain/models/representation.ts';
import {
  createVersionSender,
  describeModelState,
  showModel,
  toPublished,
} from '../../../src/http/responses/shown-models.ts';
import type { TestSetService } from '../../../src/services/models/test-sets.ts';

const version = { name: 'm', version: 3, description: 'old' } as ModelVersion;
const model = { name: 'm', versions: 2, aliases: {}, latest: version } as unknown as Model;

test('a model is ready, and shows the status of its versions', () => {
  const { ready, model_version_status } = showModel(model);
  assert.deepEqual([ready, model_version_status.map((each) => each.version)], [true, ['3']]);
});

test('the state of a model or version is described, and its tag changes with it', () => {
  assert.equal(describeModelState(version).description, 'version 3 of model m has changed');
  assert.equal(describeModelState(model).description, 'the model m has changed; its newest version is 3');
  const tags = [version, { ...version, description: 'new' }, model, { ...model, versions: 3 }].map(
    (stored) => describeModelState(stored).tag,
  );
  assert.equal(new Set(tags).size, 4);
});

test('the counts of a version change its tag, but are ignored in conditions', async () => {
  let looks = 1;
  const send = createVersionSender({ describe: async () => ({ looks }) } as unknown as TestSetService);
  const app = Fastify();
  app.get('/', async (_request, reply) => send(reply, version));
  const first = await app.inject('/');
  assert.deepEqual(first.json().testSet, { looks: 1 });
  assert.equal(first.json().model_version_status[0].version, '3');
  looks = 2;
  const second = await app.inject('/');
  assert.notEqual(first.headers.etag, second.headers.etag);
  const withoutCounts = (tag: unknown) => String(tag).replace(/~[\w-]{8}"$/, '"');
  assert.deepEqual(
    [first, second].map(({ headers }) => withoutCounts(headers.etag)),
    new Array(2).fill(describeModelState(version).tag),
  );
});

test('a published version is created at its path', () => {
  assert.deepEqual(toPublished(version), { status: 201, location: '/v1/models/m/versions/3', body: version });
});
