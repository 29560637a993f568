import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { readExamples } from '../../../../src/http/openapi/examples.ts';
import { describeModelState } from '../../../../src/http/responses/shown-models.ts';
import { modelChangeRoutes } from '../../../../src/http/routes/models/changes.ts';
import { serveRoutes } from '../bare-app.ts';

const examples = await readExamples();
const VERSION = examples['ModelVersion'] as ModelVersion;
const TEST_SET = examples['TestSetUse'];
const URL = '/v1/models/m/versions/3';

/** What the routes have asked of the registry. A precondition is checked against the version. */
const asked: unknown[][] = [];
const change =
  (what: string) =>
  async (...args: unknown[]) => {
    const precondition = args.pop();
    if (typeof precondition === 'function') precondition(VERSION);
    asked.push([what, ...args]);
    return VERSION;
  };
const registry = {
  copyVersion: change('copy'),
  annotate: change('annotate'),
  removeVersion: change('removeVersion'),
  removeModel: change('removeModel'),
};
const app = await serveRoutes(modelChangeRoutes, { registry, testSets: { describe: async () => TEST_SET } });
const send = (method: 'DELETE' | 'PATCH' | 'POST', url: string, payload?: object, headers = {}) => {
  asked.length = 0;
  return app.inject({ method, url, headers, ...(payload && { payload }) });
};

test('a copy is created at the path of the new version', async () => {
  const { statusCode, headers, body } = await send('POST', '/v1/models/copy/versions', { from: 'm@3' });
  const { name, version } = VERSION;
  assert.deepEqual([statusCode, headers.location], [201, `/v1/models/${name}/versions/${version}`]);
  assert.deepEqual(JSON.parse(body), VERSION);
  assert.deepEqual(asked, [['copy', 'copy', 'm@3']]);
});

test('an annotated version is shown as it is then, with its tag', async () => {
  const { statusCode, headers, body } = await send('PATCH', URL, { description: 'new' });
  assert.deepEqual([statusCode, JSON.parse(body).testSet], [200, TEST_SET]);
  assert.match(String(headers.etag), /~[\w-]{8}"$/);
  assert.deepEqual(asked, [['annotate', 'm', 3, { description: 'new' }]]);
});

test('a version or a model is deleted in the state that the client has read', async () => {
  const etag = describeModelState(VERSION).tag!;
  for (const [url, expected] of [
    [URL, ['removeVersion', 'm', 3]],
    ['/v1/models/m', ['removeModel', 'm']],
  ] as const) {
    const deleted = await send('DELETE', url, undefined, { 'if-match': etag });
    assert.deepEqual([deleted.statusCode, deleted.body, asked], [204, '', [expected]]);
    assert.equal((await send('DELETE', url, undefined, { 'if-match': '"other"' })).statusCode, 412);
    assert.deepEqual(asked, []);
  }
  assert.equal((await send('PATCH', URL, { tags: [] }, { 'if-match': '"other"' })).statusCode, 412);
});
