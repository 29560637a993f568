import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import {
  createStreamLimit,
  limitClientConnections,
} from '../../../../src/http/hooks/connections/client-limits.ts';

const MAX = 3;

/** A server whose connections have the given addresses, since all real ones of a test come from this machine. */
function listenAs() {
  const limited: string[] = [];
  const server = new EventEmitter();
  limitClientConnections({ server: server as Server } as FastifyInstance, MAX, (limit) =>
    limited.push(limit),
  );
  const connectFrom = (remoteAddress: string | undefined) => {
    let isOpen = true;
    const socket: EventEmitter & { close?: () => void } = Object.assign(new EventEmitter(), {
      remoteAddress,
      destroy: () => (isOpen = false),
    });
    server.emit('connection', socket);
    return { isOpen: () => isOpen, close: () => socket.emit('close') };
  };
  return { connectFrom, limited };
}

test('closes connections of an address beyond its limit, and counts the closed ones down', () => {
  const { connectFrom, limited } = listenAs();
  const held = Array.from({ length: MAX }, () => connectFrom('192.0.2.1'));
  assert.ok(!connectFrom('192.0.2.1').isOpen());
  assert.ok(!connectFrom('::ffff:192.0.2.1').isOpen(), 'the same address in IPv6');
  assert.ok(connectFrom('192.0.2.2').isOpen(), 'another address');
  held[0]!.close();
  assert.ok(connectFrom('192.0.2.1').isOpen());
  assert.ok(held.every(({ isOpen }) => isOpen()));
  assert.deepEqual(limited, ['connections', 'connections']);
});

test('an IPv6 client is its /64 network, and this machine has no limit', () => {
  const { connectFrom } = listenAs();
  for (let n = 1; n <= MAX; n++) assert.ok(connectFrom(`2001:db8::${n}`).isOpen());
  assert.ok(!connectFrom('2001:db8::ffff').isOpen());
  assert.ok(connectFrom('2001:db8:0:1::1').isOpen());
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    for (let n = 0; n < MAX * 2; n++) assert.ok(connectFrom(address).isOpen());
  }
});

test('works with real connections, whose addresses may be missing', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  limitClientConnections(app, 1, () => {});
  app.get('/', async () => 'done');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const client: Socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [response] = await once(client, 'data');
  assert.match(String(response), /^HTTP\/1.1 200/);
});

test('limits the streams of a key, or of an address that is not of this machine', () => {
  const limited: string[] = [];
  const countStream = createStreamLimit(MAX, (limit) => limited.push(limit));
  const follow = (caller: string, ip: string, closed = false) => {
    const raw = Object.assign(new EventEmitter(), { closed });
    countStream({ raw, request: { caller, ip } } as unknown as FastifyReply);
    return raw;
  };
  for (let n = 0; n < MAX; n++) follow('lab', '192.0.2.1', true);
  const followed = Array.from({ length: MAX }, () => follow('lab', '192.0.2.1'));
  assert.throws(() => follow('lab', '192.0.2.2'), { code: 'overloaded', message: /3 streams/ });
  for (let n = 0; n < MAX; n++) follow('anonymous', '192.0.2.1');
  assert.throws(() => follow('anonymous', '192.0.2.1'), { code: 'overloaded' });
  for (let n = 0; n < MAX * 2; n++) follow('anonymous', '127.0.0.1');
  followed[0]!.emit('close');
  follow('lab', '192.0.2.1');
  assert.deepEqual(limited, ['streams', 'streams']);
});
