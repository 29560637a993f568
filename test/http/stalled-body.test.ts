import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import Fastify from 'fastify';
import { answerStalledBodies } from '../../src/http/stalled-body.ts';

test('a body that stops arriving is a 408, and a request that is worked on for longer is not', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  answerStalledBodies(app, 50);
  const longer = Promise.withResolvers<void>();
  app.post('/', async () => {
    await longer.promise;
    return 'done';
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const say = (body: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n${body}`,
    );
    return text(socket);
  };
  const whole = say('123456789');
  const stalled = await say('1234');
  assert.match(
    stalled,
    /^HTTP\/1.1 408 [\s\S]*application\/problem\+json[\s\S]*nothing of the body arrived for 0.05 seconds/,
  );
  longer.resolve();
  assert.match(await whole, /^HTTP\/1.1 200 [\s\S]*done$/);
});
