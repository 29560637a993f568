import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import Fastify from 'fastify';
import { registerErrorHandler } from '../../../src/http/errors/error-handler.ts';
import { assertProblem, startService, temporaryDirectory, train } from '../../support/start-service.ts';

test('a damaged JSON column gives 500 with advice, and is logged', async (t) => {
  const STATE_DIR = await temporaryDirectory(t);
  const lines: string[] = [];
  const { app } = await startService(t, { STATE_DIR }, (line) => lines.push(line));
  const { id } = await train(app);
  const database = new DatabaseSync(join(STATE_DIR, 'atelier.sqlite'), { timeout: 5000 });
  database.prepare('update jobs set request = ? where id = ?').run('{x', id);
  database.close();
  lines.length = 0;
  const { detail } = assertProblem(await app.inject(`/v1/training-jobs/${id}`), 500, 'state-unusable');
  assert.match(detail, /database is damaged.*backup/);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /SyntaxError/);
  assert.deepEqual((await app.inject('/v1/training-jobs')).json().data, [], 'lists leave out damaged jobs');
});

test('a SyntaxError of a handler is a defect of the service, not of the body', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const app = Fastify({ logger: { level: 'error', stream } });
  registerErrorHandler(app, 1024);
  app.get('/', async () => JSON.parse('{x'));
  const response = await app.inject('/');
  assert.deepEqual([response.statusCode, response.json().code], [500, 'internal-error']);
  assert.ok(!response.body.includes('JSON'));
  assert.match(lines.join(''), /SyntaxError/);
});
