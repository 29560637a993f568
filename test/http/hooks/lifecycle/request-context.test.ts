import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { currentRequestId, trackRequestId } from '../../../../src/http/hooks/lifecycle/request-context.ts';

test('the handlers of a scope know the id of their request, others do not', async () => {
  const app = Fastify({ genReqId: () => 'req-1' });
  const handler = async () => ({ id: currentRequestId() ?? null });
  app.get('/outside', handler);
  app.register(async (scope) => {
    trackRequestId(scope);
    scope.get('/inside', handler);
  });
  assert.deepEqual((await app.inject('/inside')).json(), { id: 'req-1' });
  assert.deepEqual((await app.inject('/outside')).json(), { id: null });
  assert.equal(currentRequestId(), undefined);
});
