import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify from 'fastify';
import { z } from 'zod';
import { PROTOCOL_ERRORS } from '../../../src/http/errors/protocol-errors.ts';
import {
  cursor,
  listSchema,
  paginationQuery,
  rejectUndeclaredParameters,
  toList,
} from '../../../src/http/validation/pagination.ts';
import { ZOD_COMPILERS } from '../../../src/http/validation/zod-validator.ts';

test('a list has the ids of its first and last item, if it has any', () => {
  const page = { data: [3, 5, 8], hasMore: true };
  assert.deepEqual(toList(page, String), { ...page, firstId: '3', lastId: '8' });
  const empty = { data: [], hasMore: false };
  assert.deepEqual(toList(empty, String), { ...empty, firstId: null, lastId: null });
  listSchema(z.int()).parse(toList(page, String));
});

test('a page has 1 to 100 items, 20 by default', () => {
  const query = z.object(paginationQuery);
  assert.deepEqual(query.parse({}), { limit: 20 });
  assert.deepEqual(query.parse({ limit: '100', after: 'a' }), { limit: 100, after: 'a' });
  for (const wrong of [{ limit: '0' }, { limit: '101' }, { after: '' }, { after: 'x'.repeat(65) }])
    assert.ok(!query.safeParse(wrong).success);
});

test('a cursor is the id of an item', () => {
  const schema = cursor(/^job_\d$/, 'a job');
  assert.equal(schema.parse('job_1'), 'job_1');
  const message = 'must be the id of a job, `lastId` of the previous page';
  assert.equal(schema.safeParse('x').error!.issues[0]!.message, message);
});

test('routes of the native protocol have no other parameters than they declare', async () => {
  const app = Fastify({ schemaController: { compilersFactory: ZOD_COMPILERS } });
  rejectUndeclaredParameters(app);
  const querystring = z.strictObject({ a: z.string() });
  const handler = async () => 'done';
  app.get('/plain', handler);
  app.get('/declared', { schema: { querystring } }, handler);
  app.get('/hidden', { schema: { hide: true } }, handler);
  app.get('/other', { config: { scope: 'predict', errorFormat: PROTOCOL_ERRORS } }, handler);
  const status = async (url: string) => (await app.inject(url)).statusCode;
  for (const url of ['/plain', '/declared?a=1', '/hidden?b', '/other?b'])
    assert.equal(await status(url), 200, url);
  for (const url of ['/plain?b', '/declared?a=1&b']) assert.notEqual(await status(url), 200, url);
});
