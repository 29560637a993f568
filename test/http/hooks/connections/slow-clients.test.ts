import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { CONNECTION_LIMITS } from '../../../../src/http/hooks/connections/limits.ts';
import { limitConnections } from '../../../../src/http/hooks/connections/slow-clients.ts';

type Hook = (...args: unknown[]) => unknown;

/** The hooks with a clock of their own, and connections whose bytes a test counts. */
async function start(t: TestContext) {
  let now = 0;
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(performance, 'now', () => now);
  const hooks = new Map<string, Hook>();
  const server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  const app = { server, addHook: (name: string, hook: Hook) => hooks.set(name, hook) };
  const timeouts: FastifyReply[] = [];
  const clients = limitConnections(
    app as unknown as FastifyInstance,
    CONNECTION_LIMITS,
    (reply) => timeouts.push(reply),
    () => {},
  );
  await hooks.get('onReady')!();
  return {
    server,
    clients,
    timeouts,
    /** Begins a request whose body has not ended. */
    open() {
      const written: string[] = [];
      const sent = { bytesRead: 100 };
      const socket = Object.assign(new Socket(), {
        write: (said: string) => written.push(said),
        destroySoon: () => {},
      });
      Object.defineProperty(socket, 'bytesRead', { get: () => sent.bytesRead });
      const body = { complete: false };
      const reply = {
        raw: Object.assign(new EventEmitter(), { socket, writableLength: 0 }),
        getHeader: () => undefined,
        request: {
          ...{ socket, raw: body, method: 'POST', url: '/', headers: {}, server: { basePath: '' } },
          ...{ log: { info() {} }, routeOptions: { config: {} } },
        },
      } as unknown as FastifyReply;
      hooks.get('onRequest')!({ socket }, reply, () => {});
      return { reply, sent, body, written };
    },
    /** Lets time pass, and measures all requests at its end. */
    pass(ms: number) {
      now += ms;
      t.mock.timers.tick(CONNECTION_LIMITS.measureMs);
    },
  };
}

test('the slowest body below a rate is ended, once it has been measured for two seconds', async (t) => {
  const { clients, open, pass, timeouts } = await start(t);
  const [quick, slow, slowest, whole] = [open(), open(), open(), open()];
  const replies = [quick, slow, slowest, whole].map(({ reply }) => reply);
  const end = () => clients.endSlowest(replies, 1000);
  assert.equal(end(), undefined, 'nothing is measured yet');
  pass(0);
  quick.sent.bytesRead += 2000;
  slow.sent.bytesRead += 200;
  slowest.sent.bytesRead += 20;
  whole.body.complete = true;
  pass(1999);
  assert.equal(end(), undefined);
  pass(1);
  assert.equal(end(), slowest.reply);
  assert.match(
    slowest.written.join(''),
    /^HTTP\/1\.1 408 [\s\S]*: the body arrived at 10 bytes per second while another request needed its slot\./,
  );
  assert.equal(end(), slow.reply);
  assert.equal(end(), undefined);
  assert.deepEqual(timeouts, [slowest.reply, slow.reply]);
});

test('an idle connection is closed at its timeout, but not while its request is processed', async (t) => {
  const { server, open } = await start(t);
  assert.equal(server.maxConnections, 4000);
  const { reply } = open();
  const { socket } = reply.request;
  server.emit('timeout', socket);
  assert.equal(socket.destroyed, false);
  reply.raw.emit('close');
  server.emit('timeout', socket);
  assert.equal(socket.destroyed, true);
});
