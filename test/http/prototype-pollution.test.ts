import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem, cancelJob, endless, startService } from '../support/start-service.ts';
import { upload } from './upload.ts';

const { app } = await startService({ after });

const pristine = [Object.prototype, Array.prototype, Function.prototype].map((each) =>
  Object.getOwnPropertyNames(each),
);
function assertUnpolluted(): void {
  const now = [Object.prototype, Array.prototype, Function.prototype].map((each) =>
    Object.getOwnPropertyNames(each),
  );
  assert.deepEqual(now, pristine);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
}

const post = (url: string, payload: string) =>
  app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json' }, payload });

test('a body cannot reach a prototype, wherever in it and however it is written', async () => {
  const bodies = [
    '{"dataset":"fashion-mnist","__proto__":{"polluted":1}}',
    '{"dataset":"fashion-mnist","training":{"__proto__":{"polluted":1}}}',
    '{"dataset":"fashion-mnist","metadata":{"__proto__":"x"}}',
    '{"dataset":"fashion-mnist","metadata":{"\\u005f\\u005fproto__":{"polluted":1}}}',
    '{"dataset":"fashion-mnist","metadata":{"constructor":{"prototype":{"polluted":1}}}}',
    '{"dataset":"fashion-mnist","constructor":{"polluted":1}}',
    '{"dataset":"fashion-mnist","prototype":{"polluted":1}}',
  ];
  for (const body of bodies) {
    const { statusCode } = await post('/v1/training-jobs', body);
    assert.equal(statusCode, 400, body);
    assert.equal((await post('/v1/gradient-checks', body)).statusCode, 400, body);
    assert.equal((await post('/v1/models/nobody/predictions', body)).statusCode, 404, body);
  }
  assertUnpolluted();
});

test('a form part cannot reach a prototype, and its rejection has a message of the service', async () => {
  const refused = await upload(app, { ['__proto__']: 'x', name: 'mine' });
  assert.match(
    assertProblem(refused, 400, 'malformed-body').detail,
    /form cannot be read: a part must not be named __proto__/,
  );
  assertUnpolluted();
});

test('a query cannot reach a prototype', async () => {
  const queries = [
    '__proto__=1',
    '__proto__[polluted]=1',
    'constructor=1',
    'constructor[prototype][polluted]=1',
    'toString=1',
  ];
  for (const query of queries) {
    assertProblem(await app.inject(`/v1/models?${query}`), 400, 'invalid-request');
    assertProblem(await app.inject(`/v1/training-jobs?limit=1&${query}`), 400, 'invalid-request');
  }
  assertUnpolluted();
});

test('metadata may have names such as constructor, and returns them as text', async () => {
  const metadata = { constructor: 'x', toString: 'y', hasOwnProperty: 'z' };
  const response = await post('/v1/training-jobs', JSON.stringify({ ...endless, metadata }));
  assert.equal(response.statusCode, 202, response.body);
  const { id } = response.json();
  await cancelJob(app, id);
  const shown = (await app.inject(`/v1/training-jobs/${id}`)).json().metadata;
  assert.deepEqual(Object.entries(shown).toSorted(), Object.entries(metadata).toSorted());
  assertUnpolluted();
});
