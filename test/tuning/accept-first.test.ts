import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { acceptBeforeReading } from '../../src/tuning/accept-first.ts';
import { switchOff } from '../../src/tuning/switches.ts';

const CLIENTS = 50;

/** Sends a burst of requests on new connections. Returns how many were accepted before the first one was handled. */
async function acceptedBeforeFirst(t: TestContext): Promise<number> {
  const app = Fastify();
  t.after(() => app.close());
  acceptBeforeReading(app);
  let accepted = 0;
  const acceptedBefore: number[] = [];
  app.server.on('connection', () => accepted++);
  app.post('/', async ({ body }) => {
    acceptedBefore.push(accepted);
    return body;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const responses = Array.from({ length: CLIENTS }, async () => {
    const client = connect(port, '127.0.0.1');
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n');
    client.write('Connection: close\r\n\r\nbody');
    return text(client);
  });
  for (const response of await Promise.all(responses))
    assert.match(response, /^HTTP\/1.1 200 [\s\S]*\r\n\r\nbody$/);
  return acceptedBefore[0]!;
}

test('accepts all connections of a burst before it handles the first request, unless that is switched off', async (t) => {
  assert.equal(await acceptedBeforeFirst(t), CLIENTS);
  t.after(() => switchOff([]));
  switchOff(['accept-first']);
  assert.ok((await acceptedBeforeFirst(t)) < CLIENTS);
});

test('a single connection is read at once, also for several requests', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  acceptBeforeReading(app);
  app.get('/', async () => 'done');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  for (let n = 0; n < 3; n++) {
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [chunk] = await once(client, 'data');
    assert.match(String(chunk), /^HTTP\/1.1 200 /);
  }
  client.destroy();
});
