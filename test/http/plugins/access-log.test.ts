import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { LogController } from 'fastify';
import { logRequests } from '../../../src/http/plugins/access-log.ts';

test('ACCESS_LOG chooses between all requests, rejected and failed ones, and none', async () => {
  const statuses = { all: [200, 404, 500], errors: [404, 500], off: [] };
  for (const [accessLog, expected] of Object.entries(statuses)) {
    const logged: number[] = [];
    const stream = { write: (line: string) => logged.push(JSON.parse(line).status) };
    const logController = new LogController({ disableRequestLogging: true });
    const app = Fastify({ logger: { stream }, logController });
    logRequests(app, accessLog as keyof typeof statuses);
    app.get<{ Params: { status: number } }>('/:status', async ({ params }, reply) =>
      reply.code(params.status).send(),
    );
    for (const status of [200, 404, 500]) await app.inject(`/${status}`);
    await app.close();
    assert.deepEqual(logged, expected, accessLog);
  }
});
