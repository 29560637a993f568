import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { formatApiKey, generateKey, SCOPES, sha256Bytes } from '../../../../src/domain/api-key.ts';
import { aliasMoveSchema, aliasSchema } from '../../../../src/domain/models/alias.ts';
import type { ModelVersion } from '../../../../src/domain/models/representation.ts';
import { shownVersionSchema } from '../../../../src/http/responses/shown-models.ts';
import { listSchema } from '../../../../src/http/validation/pagination.ts';
import { openStore } from '../../../../src/store/sqlite/open.ts';
import { publish } from '../../../store/fixtures.ts';
import {
  assertProblem,
  cancelJob,
  endless,
  isRunning,
  queueJob,
  startService,
  temporaryDirectory,
  testImage,
  tiny,
  train,
  untilJob,
} from '../../../support/start-service.ts';

const file = { after };
const STATE_DIR = await temporaryDirectory(file);
const { app, close } = await startService(file, { STATE_DIR });
const picture = await testImage(app, 0);
const aliasListSchema = z.strictObject({
  data: z.array(aliasSchema.strict()),
  history: listSchema(aliasMoveSchema.strict()).strict(),
});

for (let seed = 0; seed < 3; seed++) await train(app, tiny({ modelName: 'shoes', seed }));

type Method = 'PUT' | 'PATCH' | 'DELETE';
const send = (method: Method, url: string, payload?: object) =>
  app.inject({ method, url: `/v1/models/${url}`, ...(payload && { payload }) });
const point = (alias: string, version: number, model = 'shoes') =>
  send('PUT', `${model}/aliases/${alias}`, { version });

async function must(status: number, answer: ReturnType<typeof send>) {
  const response = await answer;
  assert.equal(response.statusCode, status, response.body);
  return response;
}

const predictWith = (path: string, payload = picture) =>
  app.inject({
    method: 'POST',
    url: `/v1/models/${path}/predictions?topK=1`,
    headers: { 'content-type': 'application/octet-stream' },
    payload,
  });

/** The version that computed the prediction. */
async function predictingVersion(path: string): Promise<number> {
  const response = await predictWith(path);
  assert.equal(response.statusCode, 200, response.body);
  return response.json().model.version;
}

async function aliasesOf(model: string, query = ''): Promise<z.infer<typeof aliasListSchema>> {
  const response = await app.inject(`/v1/models/${model}/aliases${query}`);
  assert.equal(response.statusCode, 200, response.body);
  return aliasListSchema.parse(response.json());
}

const versionOf = async (path: string): Promise<ModelVersion> =>
  shownVersionSchema.strict().parse((await app.inject(`/v1/models/${path}`)).json());

test('the champion serves its model, or else the newest version', async () => {
  assert.equal(await predictingVersion('shoes'), 1, 'the first version is the champion');
  const made = await must(200, point('champion', 2));
  assert.deepEqual(aliasSchema.strict().parse(made.json()), made.json());
  assert.equal(await predictingVersion('shoes'), 2);
  await train(app, tiny({ modelName: 'shoes', seed: 3 }));
  assert.equal(await predictingVersion('shoes'), 2);
  assert.equal(await predictingVersion('shoes/versions/4'), 4);
  await must(204, send('DELETE', 'shoes/aliases/champion'));
  assert.equal(await predictingVersion('shoes'), 4);
});

test('a version is shown and predicts by its aliases', async () => {
  await must(201, point('stable', 2));
  await must(200, point('stable', 3));
  assert.equal(await predictingVersion('shoes/versions/stable'), 3);
  const version = await versionOf('shoes/versions/stable');
  assert.deepEqual([version.version, version.aliases], [3, ['stable']]);
  assert.deepEqual((await app.inject('/v1/models/shoes')).json().aliases, { stable: 3 });
  const missing = assertProblem(await predictWith('shoes/versions/canary'), 404, 'model-not-found');
  assert.match(missing.detail, /shoes has no alias canary; its aliases are: stable \(3\)/);
});

test('a rollback moves the alias to the previous version in its history', async () => {
  const before = (await aliasesOf('shoes')).history.data.length;
  for (const version of [1, 2]) await point('champion', version);
  const [last] = (await aliasesOf('shoes')).history.data;
  assert.deepEqual([last?.version, last?.previousVersion], [2, 1]);
  await must(200, point('champion', last!.previousVersion!));
  assert.equal(await predictingVersion('shoes'), 1);
  const { data, history } = await aliasesOf('shoes');
  assert.deepEqual(
    data.map(({ alias, version }) => [alias, version]),
    [
      ['champion', 1],
      ['stable', 3],
    ],
  );
  const moves = history.data.map(({ version, previousVersion }) => [previousVersion, version]);
  assert.deepEqual(moves.slice(0, 3), [
    [2, 1],
    [1, 2],
    [null, 1],
  ]);
  assert.equal(moves.length, before + 3);
  const page = await aliasesOf('shoes', `?limit=1&after=${last!.id}`);
  assert.deepEqual([page.history.data[0]?.id, page.history.hasMore], [last!.id - 1, true]);
  assert.deepEqual(page.data, data, 'the aliases are all there on every page');
});

test('bodies accept references by alias, and a job records the version', async () => {
  await point('start', 2);
  for (const warmStart of ['shoes@start', { name: 'shoes', version: 'start' }]) {
    const job = await train(app, tiny({ modelName: 'warm', warmStart }));
    assert.deepEqual([job.status, job.warmStart], ['succeeded', { name: 'shoes', version: 2 }]);
  }
  const { lineage } = await versionOf('warm/versions/1');
  assert.deepEqual(lineage.parent, { name: 'shoes', version: 2 });
  const byName = await train(app, tiny({ modelName: 'warm', warmStart: 'shoes' }));
  assert.deepEqual(byName.warmStart, { name: 'shoes', version: 1 }, 'the champion');
  const check = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: { model: 'shoes@start', coordinates: { sample: 20 } },
  });
  assert.equal(check.statusCode, 200, check.body);
  const wrong = { ...tiny(), warmStart: 'shoes@nobody' };
  const refused = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: wrong });
  assert.match(assertProblem(refused, 422, 'unknown-model', '#/warmStart').detail, /no alias nobody/);
  await must(204, send('DELETE', 'shoes/aliases/start'));
});

test('rejects invalid aliases and targets by name', async () => {
  for (const alias of ['7', 'Upper', '-x', 'a'.repeat(65)]) {
    assertProblem(await point(alias, 1), 400, 'invalid-request', 'alias');
  }
  for (const body of [{}, { version: '1' }, { version: 0 }, { version: 1.5 }, { version: 1, at: 2 }]) {
    assertProblem(await send('PUT', 'shoes/aliases/x', body), 400, 'invalid-request');
  }
  const missing = assertProblem(await point('x', 99), 422, 'unknown-model', '#/version');
  assert.match(missing.detail, /shoes has no version 99; its newest is 4/);
  assertProblem(await point('x', 1, 'nobody'), 404, 'model-not-found');
  assertProblem(await app.inject('/v1/models/nobody/aliases'), 404, 'model-not-found');
  assertProblem(await send('DELETE', 'shoes/aliases/x'), 404, 'alias-not-found');
  assertProblem(await send('DELETE', 'nobody/aliases/x'), 404, 'model-not-found');
  assertProblem(await app.inject('/v1/models/shoes/aliases?after=x'), 400, 'invalid-request', 'after');
});

test('while the champion moves, either version responds, and afterwards only the new one', async () => {
  await point('champion', 1);
  let moving = true;
  let answered = 0;
  const ask = async () => {
    while (moving) {
      assert.ok([1, 2].includes(await predictingVersion('shoes')));
      answered++;
    }
  };
  const asking = [ask(), ask(), ask()];
  for (let n = 0; n < 60; n++) {
    const version = 1 + (n % 2);
    await must(200, point('champion', 3 - version));
    await must(200, point('champion', version));
    assert.deepEqual(await Promise.all([predictingVersion('shoes'), predictingVersion('shoes')]), [
      version,
      version,
    ]);
  }
  moving = false;
  await Promise.all(asking);
  assert.ok(answered > 60);
});

test('a version with an alias cannot be deleted, and the error gives advice', async () => {
  await point('champion', 1);
  for (const path of ['shoes/versions/1', 'shoes/versions/champion', 'shoes']) {
    const problem = assertProblem(await send('DELETE', path), 409, 'version-in-use');
    assert.match(problem.detail, /alias champion points at version 1. Move the alias .*, or delete it/);
  }
  assert.equal(await predictingVersion('shoes/versions/1'), 1);
});

test('the warm start of an unfinished job cannot be deleted', async () => {
  const job = await queueJob(app, { ...endless, modelName: 'going', warmStart: 'shoes@4' });
  await untilJob(app, job.id, isRunning);
  const problem = assertProblem(await send('DELETE', 'shoes/versions/4'), 409, 'version-in-use');
  assert.match(problem.detail, new RegExp(`the running training job ${job.id} starts from version 4`));
  await cancelJob(app, job.id);
  await untilJob(app, job.id, ({ status }) => status === 'cancelled');
  await must(204, send('DELETE', 'shoes/versions/4'));
});

test('a deleted version is gone immediately with its parameters, and its number is not reused', async () => {
  await train(app, tiny({ modelName: 'gone', seed: 10 }));
  await train(app, tiny({ modelName: 'gone', seed: 11 }));
  assert.deepEqual([await predictingVersion('gone'), await predictingVersion('gone/versions/2')], [1, 2]);
  const { digest } = await versionOf('gone/versions/2');
  const files = () => readdir(join(STATE_DIR, 'blobs'));
  assert.ok((await files()).includes(digest.replace('sha256:', '')));
  await must(204, send('DELETE', 'gone/versions/2'));
  assert.ok(!(await files()).includes(digest.replace('sha256:', '')));
  assertProblem(await predictWith('gone/versions/2'), 404, 'model-not-found');
  assertProblem(await app.inject('/v1/models/gone/versions/2'), 404, 'model-not-found');
  assertProblem(await send('DELETE', 'gone/versions/2'), 404, 'model-not-found');
  assert.equal(await predictingVersion('gone'), 1);
  await must(204, send('DELETE', 'gone'));
  assertProblem(await predictWith('gone'), 404, 'model-not-found');
  assertProblem(await app.inject('/v1/models/gone'), 404, 'model-not-found');
  const { model } = await train(app, tiny({ modelName: 'gone', seed: 10 }));
  assert.deepEqual(model, { name: 'gone', version: 3 });
  assert.equal(await predictingVersion('gone'), 3);
});

test('a version deleted during predictions completes them', async () => {
  await train(app, tiny({ modelName: 'flying', seed: 20 }));
  const images = Buffer.concat(new Array(10_000).fill(picture));
  const expected = (await predictWith('flying')).json().predictions[0];
  // The second request waits for the only thread, so it is computed after the deletion has begun.
  const [first, second] = [predictWith('flying', images), predictWith('flying', images)];
  assert.equal((await first).statusCode, 200);
  const [deletion, answer] = await Promise.all([send('DELETE', 'flying'), second]);
  assert.equal(deletion.statusCode, 204, deletion.body);
  assert.equal(answer.statusCode, 200, answer.body);
  const { predictions } = answer.json();
  assert.equal(predictions.length, 10_000);
  assert.deepEqual(predictions.at(-1), expected);
  assertProblem(await predictWith('flying'), 404, 'model-not-found');
});

test('description, metadata and tags of a version can be changed, and versions found by tag', async () => {
  const url = 'shoes/versions/2';
  const before = await versionOf(url);
  assert.deepEqual([before.description, before.metadata, before.tags], [null, {}, []]);
  const changes = { description: 'Tried,\r\n\ttwice', metadata: { by: 'us' }, tags: ['tried', 'small'] };
  const changed = (await must(200, send('PATCH', url, changes))).json();
  assert.deepEqual(changed, { ...before, ...changes });
  assert.deepEqual(await versionOf(url), changed);
  const partly = (await must(200, send('PATCH', 'shoes/versions/2', { description: null }))).json();
  assert.deepEqual(partly, { ...changed, description: null });
  const names = async (query: string): Promise<string[]> =>
    (await app.inject(`/v1/models?${query}`)).json().data.map(({ name }: { name: string }) => name);
  assert.deepEqual(await names('tag=tried'), ['shoes']);
  assert.deepEqual(await names('tag=tri'), []);
  const tagged = (await app.inject('/v1/models/shoes/versions?tag=small')).json();
  assert.deepEqual([tagged.firstId, tagged.lastId], ['2', '2']);
  for (const body of [
    { tag: 'x' },
    { tags: ['a b'] },
    { tags: new Array(17).fill('a') },
    { metadata: { a: 1 } },
    { metadata: { a: '\0' } },
    { metadata: { 'a\0': '' } },
    { description: 'a'.repeat(2001) },
    { description: 'a\0' },
  ]) {
    assertProblem(await send('PATCH', url, body), 400, 'invalid-request');
  }
  assertProblem(await send('PATCH', 'shoes/versions/99', {}), 404, 'model-not-found');
  assertProblem(await app.inject('/v1/models?tag=A'), 400, 'invalid-request', 'tag');
});

test('a version has the metadata of its request and its lineage', async () => {
  const metadata = { ticket: 'A-1' };
  const job = await train(app, tiny({ modelName: 'told', seed: 5, metadata, warmStart: 'shoes@1' }));
  const version = await versionOf('told/versions/1');
  assert.deepEqual([version.metadata, version.digest], [metadata, job.digest]);
  const dataset = (await app.inject('/v1/datasets/fashion-mnist')).json();
  const { request, ...lineage } = version.lineage;
  assert.deepEqual(lineage, {
    source: 'training',
    jobId: job.id,
    dataset: { id: dataset.id, digest: dataset.digest },
    seed: 5,
    parent: { name: 'shoes', version: 1 },
    import: null,
    copiedFrom: null,
    teachers: [],
  });
  const again = await train(app, request as ReturnType<typeof tiny>);
  assert.equal(again.digest, job.digest, 'the request can be sent again as it is');
});

const conditional = (method: Method, url: string, headers: Record<string, string>, payload?: object) =>
  app.inject({ method, url: `/v1/models/${url}`, headers, ...(payload && { payload }) });
const tagAt = async (url: string) => {
  const response = await app.inject(`/v1/models/${url}`);
  assert.equal(response.statusCode, 200, response.body);
  return String(response.headers.etag);
};

test('of concurrent clients that have read the same alias, one moves it', async () => {
  const url = 'shoes/aliases/deployed';
  const create = { 'if-none-match': '*' };
  const created = await Promise.all([1, 2, 1].map((version) => conditional('PUT', url, create, { version })));
  assert.deepEqual(created.map(({ statusCode }) => statusCode).toSorted(), [201, 412, 412]);
  const lost = created.find(({ statusCode }) => statusCode === 412)!;
  const exists = assertProblem(lost, 412, 'precondition-failed', 'If-None-Match');
  assert.match(exists.detail, /anonymous pointed the alias deployed at version [12] at \d/);
  await must(200, point('deployed', 1));

  const tag = await tagAt(url);
  assert.match(tag, /^"[^"]+"$/);
  assert.equal((await conditional('PUT', url, {}, { version: 1 })).headers.etag, tag, 'nothing has moved');
  const fresh = await app.inject({ url: `/v1/models/${url}`, headers: { 'if-none-match': `"x", ${tag}` } });
  assert.equal(fresh.statusCode, 304);
  const same = { 'if-match': `"x", ${tag}` };
  const moved = await Promise.all([2, 3, 2, 3].map((version) => conditional('PUT', url, same, { version })));
  const [won, ...others] = moved.toSorted((a, b) => a.statusCode - b.statusCode);
  assert.deepEqual(
    [won, ...others].map((response) => response?.statusCode),
    [200, 412, 412, 412],
  );
  assert.equal(won!.headers.etag, await tagAt(url));
  const { version } = won!.json();
  const changed = assertProblem(others[0]!, 412, 'precondition-failed', 'If-Match');
  assert.equal(others[0]!.headers.etag, undefined);
  assert.match(changed.detail, new RegExp(`at version ${version} at .*its ETag is ${won!.headers.etag}`));

  await must(200, point('deployed', 1));
  assert.notEqual(await tagAt(url), tag, 'moved away and back');
  const current = await tagAt(url);
  for (const stale of [tag, `W/${current}`, `${tag}, W/${current}`]) {
    const rejected = await conditional('DELETE', url, { 'if-match': stale });
    assertProblem(rejected, 412, 'precondition-failed', 'If-Match');
  }
  for (const known of ['*, *', `W/${current}`, `,"x,y" ,, ${current},`]) {
    const rejected = await conditional('PUT', url, { 'if-none-match': known }, { version: 2 });
    assertProblem(rejected, 412, 'precondition-failed', 'If-None-Match');
  }
  const malformed = ['', ',', '*,', '**', "'*'", 'W/*', '*, "x"', 'abc', '"abc', `w/${current}`];
  malformed.push(`"x" ${current}`, `'${current}'`, `*, ${current}`);
  for (const header of ['if-match', 'if-none-match']) {
    for (const value of malformed) {
      const rejected = await conditional('PUT', url, { [header]: value }, { version: 2 });
      assertProblem(rejected, 400, 'invalid-request', header);
    }
  }
  assert.equal(await tagAt(url), current, 'nothing has moved');
  assert.equal((await conditional('DELETE', url, { 'if-match': await tagAt(url) })).statusCode, 204);
  for (const [method, status] of [
    ['PUT', 412],
    ['DELETE', 404],
  ] as const) {
    const missing = await conditional(method, url, { 'if-match': '*' }, { version: 1 });
    assert.equal(missing.statusCode, status, missing.body);
  }
  assertProblem(await app.inject(`/v1/models/${url}`), 404, 'alias-not-found');
});

test('a version or model that has changed since it was read is neither changed nor deleted', async () => {
  for (let seed = 0; seed < 2; seed++) await train(app, tiny({ modelName: 'watched', seed }));
  const url = 'watched/versions/2';
  const [model, read] = [await tagAt('watched'), await tagAt(url)];
  const annotated = await conditional('PATCH', url, { 'if-match': read }, { tags: ['kept'] });
  assert.equal(annotated.statusCode, 200, annotated.body);
  assert.equal(annotated.headers.etag, await tagAt(url));
  for (const method of ['PATCH', 'DELETE'] as const) {
    const rejected = await conditional(method, url, { 'if-match': read }, {});
    const { detail } = assertProblem(rejected, 412, 'precondition-failed', 'If-Match');
    assert.match(detail, /version 2 of model watched has changed/);
  }
  assert.equal((await conditional('DELETE', url, { 'if-match': await tagAt(url) })).statusCode, 204);
  const rejected = await conditional('DELETE', 'watched', { 'if-match': model });
  assertProblem(rejected, 412, 'precondition-failed', 'If-Match');
  assert.equal(
    (await conditional('DELETE', 'watched', { 'if-match': await tagAt('watched') })).statusCode,
    204,
  );
});

test('enforces scopes, and the history has the name of the key', async (t) => {
  const secrets = Object.fromEntries(SCOPES.map((scope) => [scope, generateKey()]));
  const API_KEYS = SCOPES.map((scope) =>
    formatApiKey({ name: `a-${scope}`, scopes: [scope], digest: sha256Bytes(secrets[scope]!) }),
  ).join();
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  await publish(store, 'm');
  await store.close();
  const keyed = await startService(t, { API_KEYS, STATE_DIR: directory });
  const ask = (scope: string, method: Method | 'GET' | 'POST', url: string, payload?: object) =>
    keyed.app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${secrets[scope]}` },
      ...(payload && { payload }),
    });
  const move = ['PUT', '/v1/models/m/aliases/stable', { version: 1 }] as const;
  const search = {
    dataset: 'fashion-mnist',
    vary: [{ path: '/training/l2', choices: [0, 1] }],
    final: { publish: { promote: 'always' } },
  };
  const cases = [
    ['train', ...move, 403],
    ['promote', ...move, 201],
    ['admin', ...move, 200],
    ['promote', 'PUT', '/v1/models/m/aliases/canary', { version: 1 }, 201],
    ['promote', 'DELETE', '/v1/models/m/aliases/canary', undefined, 204],
    ['predict', 'PATCH', '/v1/models/m/versions/1', { tags: ['a'] }, 403],
    ['train', 'PATCH', '/v1/models/m/versions/1', { tags: ['a'] }, 200],
    ['train', 'DELETE', '/v1/models/m/aliases/champion', undefined, 403],
    ['train', 'POST', '/v1/models/n/versions', { from: 'm' }, 403],
    ['promote', 'POST', '/v1/models/n/versions', { from: 'm' }, 201],
    ['promote', 'DELETE', '/v1/models/m/versions/1', undefined, 403],
    ['train', 'POST', '/v1/searches', search, 403],
    ['train', 'POST', '/v1/searches/preview', search, 403],
    ['promote', 'DELETE', '/v1/models/m', undefined, 403],
  ] as const;
  for (const [scope, method, url, payload, status] of cases) {
    const response = await ask(scope, method, url, payload);
    assert.equal(response.statusCode, status, `${scope} ${method} ${url}: ${response.body}`);
  }
  const list = aliasListSchema.parse((await ask('predict', 'GET', '/v1/models/m/aliases')).json());
  const callers = list.history.data.map(({ caller }) => caller);
  assert.deepEqual([list.data[1]?.movedBy, ...new Set(callers)], ['a-promote', 'a-promote', 'service']);
});

test('a version is copied to another name with its lineage, once for each Idempotency-Key', async () => {
  const copy = (name: string, from: unknown, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: `/v1/models/${name}/versions`, headers, payload: { from } });
  const key = { 'idempotency-key': 'copy-1' };
  const created = await copy('copied', 'shoes@2', key);
  assert.equal(created.statusCode, 201, created.body);
  assert.equal(created.headers.location, '/v1/models/copied/versions/1');
  const [version, original] = [created.json<ModelVersion>(), await versionOf('shoes/versions/2')];
  assert.deepEqual(version.lineage, { ...original.lineage, copiedFrom: { name: 'shoes', version: 2 } });
  assert.deepEqual([version.aliases, version.digest], [['champion'], original.digest]);
  assert.equal(await predictingVersion('copied'), 1);
  const again = await copy('copied', 'shoes@2', key);
  assert.deepEqual([again.json(), again.headers['idempotency-replayed']], [version, 'true']);
  const later = await copy('copied', { name: 'shoes', version: 'champion' });
  assert.deepEqual([later.json().version, later.json().aliases], [2, []]);
  assert.deepEqual((await app.inject('/v1/models/copied')).json().aliases, { champion: 1 });
  assertProblem(await copy('copied', 'nobody@1'), 422, 'unknown-model', '#/from');
  assertProblem(await copy('copied', 'shoes@99'), 422, 'unknown-model', '#/from');
  assertProblem(await copy('Copied', 'shoes@2'), 400, 'invalid-request', 'name');
  assertProblem(await copy('copied', 7), 400, 'invalid-request', '#/from');
});

test('everything is unchanged after a restart', async (t) => {
  const paths = ['/v1/models', '/v1/models/shoes/aliases', '/v1/models/shoes/versions', '/v1/models/gone'];
  const before = await Promise.all(paths.map(async (path) => (await app.inject(path)).json()));
  await close();
  const again = await startService(t, { STATE_DIR });
  const now = await Promise.all(paths.map(async (path) => (await again.app.inject(path)).json()));
  assert.deepEqual(now, before);
  const headers = { 'content-type': 'application/octet-stream' };
  const url = '/v1/models/shoes/predictions';
  const response = await again.app.inject({ method: 'POST', url, headers, payload: picture });
  assert.deepEqual(response.json().model, { name: 'shoes', version: 1 });
});
