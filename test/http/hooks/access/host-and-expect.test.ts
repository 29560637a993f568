import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import Fastify from 'fastify';
import { validateHostAndExpect } from '../../../../src/http/hooks/access/host-and-expect.ts';

const app = Fastify({ http: { requireHostHeader: false } });
after(() => app.close());
validateHostAndExpect(app);
app.get('/', async () => 'done');
await app.listen({ port: 0, host: '127.0.0.1' });

/** Sends headers as they are. Resolves to the status, and to the message of an error. */
async function send(headers: readonly string[], version = '1.1') {
  const { port } = app.server.address() as AddressInfo;
  const lines = [`GET / HTTP/${version}`, 'Connection: close', ...headers];
  const said = await text(connect(port, '127.0.0.1').end(`${lines.join('\r\n')}\r\n\r\n`));
  const [head, body] = said.replace('HTTP/1.1 100 Continue\r\n\r\n', '').split('\r\n\r\n');
  return [Number(head!.slice(9, 12)), body === 'done' ? undefined : JSON.parse(body!).message];
}

test('a request has one Host header, possibly an empty one; HTTP/1.0 needs none', async () => {
  assert.deepEqual(await send(['Host: a']), [200, undefined]);
  assert.deepEqual(await send(['host:', 'X-Host: b', 'Hosts: c', 'Date: d']), [200, undefined]);
  assert.deepEqual(await send([], '1.0'), [200, undefined]);
  const [, missing] = await send(['X-A: host']);
  assert.equal(missing, 'The request has no Host header. HTTP/1.1 requires one.');
  for (const second of ['Host: a', 'hOST: b']) {
    const [, repeated] = await send(['Host: a', 'X-A: 1', second]);
    assert.equal(repeated, 'The request has 2 Host headers. Send one.');
  }
});

test('no other expectation than 100-continue is met', async () => {
  assert.deepEqual(await send(['Host: a', 'Expect: 100-Continue']), [200, undefined]);
  const [, message] = await send(['Host: a', 'Expect: 200-ok']);
  assert.equal(message, 'Expect: 200-ok is not supported. Send Expect: 100-continue or no Expect header.');
});
