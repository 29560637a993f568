import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { assertProblem, startService, train } from '../../../support/start-service.ts';

const { app } = await startService({ after });
await app.listen({ port: 0, host: '127.0.0.1' });
await train(app);
const { port } = app.server.address() as AddressInfo;
const PREDICT = '/v1/models/fashion-mnist/predictions';

function predict(images: number, remoteAddress = '127.0.0.1') {
  const headers = { 'content-type': 'application/octet-stream' };
  return app.inject({
    method: 'POST',
    url: PREDICT,
    headers,
    payload: Buffer.alloc(784 * images),
    remoteAddress,
  });
}

/** Occupies slots with requests without their bodies: by default all slots, from two addresses. */
async function holdSlots(addresses = ['127.0.0.2', '127.0.0.3'], count = 8) {
  const held: { socket: Socket; response: ServerResponse }[] = [];
  for (let i = 0; i < count; i++) {
    const arrived = once(app.server, 'request') as Promise<[unknown, ServerResponse]>;
    const socket = connect({ port, host: '127.0.0.1', localAddress: addresses[i % addresses.length] }).on(
      'error',
      () => {},
    );
    const length = i % 2 === 0 ? `Content-Length: ${2 ** 20}` : 'Transfer-Encoding: chunked';
    const type = 'Content-Type: application/octet-stream';
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\n${type}\r\n${length}\r\n\r\n`);
    held.push({ socket, response: (await arrived)[1] });
  }
  return {
    sockets: held.map(({ socket }) => socket),
    async leave() {
      for (const { socket, response } of held) {
        const left = response.closed ? undefined : once(response, 'close');
        socket.destroy();
        await left;
      }
    },
  };
}

test('eight large bodies are processed at once, one more gets 503, and small ones succeed', async () => {
  const held = await holdSlots();
  const refused = await predict(1000);
  assertProblem(refused, 503, 'overloaded');
  assert.equal(refused.headers['retry-after'], '1', 'measured: such a body takes less than a second');
  assert.equal((await predict(1)).statusCode, 200);
  await held.leave();
  assert.equal((await predict(1000)).statusCode, 200);
});

test('one client cannot take all slots', async () => {
  const held = await holdSlots(['127.0.0.1'], 6);
  const rejected = assertProblem(await predict(1000), 503, 'overloaded');
  assert.match(rejected.detail, /6 bodies over 256 KiB already, the limit per client/);
  assert.equal((await predict(1000, '127.0.0.2')).statusCode, 200);
  await held.leave();
  assert.equal((await predict(1000)).statusCode, 200);
});

test('slow senders do not block others', async () => {
  const held = await holdSlots();
  const said = Promise.race(held.sockets.map((socket) => text(socket)));
  // Requests are rejected until the slow senders have had their minimum time.
  while ((await predict(1000)).statusCode !== 200);
  assert.match(
    await said,
    /^HTTP\/1.1 408 [\s\S]* the body arrived at \d+ bytes per second while another request needed its slot[\s\S]*"code":"request-timeout"/,
  );
  assert.equal(held.sockets.filter((socket) => socket.readableEnded).length, 1, 'one place was needed');
  await held.leave();
});
