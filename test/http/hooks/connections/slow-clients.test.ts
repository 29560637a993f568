import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { CONNECTION_LIMITS } from '../../../../src/http/hooks/connections/limits.ts';
import { limitConnections } from '../../../../src/http/hooks/connections/slow-clients.ts';

type Hook = (...args: unknown[]) => unknown;

interface Opened {
  /** Type of the response. */
  readonly type?: string;
  readonly upload?: boolean;
  /** The connection of an earlier request. */
  readonly socket?: Socket;
}

/** The hooks with a clock of their own, and connections whose bytes a test counts. */
async function start(t: TestContext) {
  let now = 1_000_000;
  t.mock.timers.enable({ apis: ['setInterval'] });
  t.mock.method(performance, 'now', () => now);
  const hooks = new Map<string, Hook>();
  const server = Object.assign(new EventEmitter(), { maxConnections: 0 });
  const app = { server, addHook: (name: string, hook: Hook) => hooks.set(name, hook) };
  const timeouts: FastifyReply[] = [];
  const exceeded: string[] = [];
  const logged: unknown[][] = [];
  const clients = limitConnections(
    app as unknown as FastifyInstance,
    CONNECTION_LIMITS,
    (reply) => timeouts.push(reply),
    (limit) => exceeded.push(limit),
  );
  await hooks.get('onReady')!();
  return {
    server,
    clients,
    timeouts,
    exceeded,
    logged,
    close: () => hooks.get('onClose')!(),
    /** Begins a request whose body has not ended. */
    open({ type, upload, socket: earlier }: Opened = {}) {
      const written: string[] = [];
      const sent = { bytesRead: 100, bytesWritten: 1000, writableLength: 0 };
      const socket = Object.assign(earlier ?? new Socket(), {
        write: (said: string) => written.push(said),
        destroySoon: () => {},
      });
      for (const name of Object.keys(sent) as (keyof typeof sent)[])
        Object.defineProperty(socket, name, { get: () => sent[name], configurable: true });
      const body = { complete: false };
      const raw = Object.assign(new EventEmitter(), { socket: socket as Socket | null, writableLength: 0 });
      const reply = {
        raw,
        getHeader: () => type,
        request: {
          ...{ socket, raw: body, method: 'POST', url: '/', headers: {}, server: { basePath: '' } },
          ...{
            log: { info: (...line: unknown[]) => logged.push(line) },
            routeOptions: { config: { upload } },
          },
        },
      } as unknown as FastifyReply;
      let isAccepted = false;
      hooks.get('onRequest')!({ socket }, reply, () => {
        isAccepted = true;
      });
      /** Ends the body, and begins a response. */
      const respond = () => {
        body.complete = true;
        raw.writableLength = 1;
      };
      return { reply, raw, socket, sent, body, written, isAccepted, respond };
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

const EVENTS = 'text/event-stream; charset=utf-8';

test('a body is ended after 30 seconds without a byte', async (t) => {
  const { open, pass, timeouts } = await start(t);
  const [silent, late] = [open(), open()];
  pass(0);
  pass(29_999);
  assert.deepEqual(timeouts, []);
  late.sent.bytesRead += 1;
  pass(1);
  assert.deepEqual(timeouts, [silent.reply]);
  assert.match(silent.written.join(''), /^HTTP\/1\.1 408 [\s\S]*no byte of the body arrived for 30 seconds/);
  pass(29_999);
  assert.equal(timeouts.length, 1);
  pass(1);
  assert.deepEqual(timeouts, [silent.reply, late.reply]);
});

test('a body arrives within two minutes, except that of an upload', async (t) => {
  const { open, pass, timeouts } = await start(t);
  const [slow, upload] = [open(), open({ upload: true })];
  const passWithByte = (ms: number) => {
    for (const { sent } of [slow, upload]) sent.bytesRead += 1;
    pass(ms);
  };
  pass(0);
  for (let second = 20; second < 120; second += 20) passWithByte(20_000);
  passWithByte(19_999);
  assert.deepEqual(timeouts, []);
  passWithByte(1);
  assert.deepEqual(timeouts, [slow.reply]);
  assert.match(slow.written.join(''), /the body did not arrive within 120 seconds/);
});

test('a response is read at 16 KiB per second, measured over 30 seconds', async (t) => {
  const { open, pass, exceeded, logged } = await start(t);
  const [slow, steady, buffered] = [open(), open(), open()];
  for (const { respond } of [slow, steady, buffered]) respond();
  pass(0);
  const bytes = 30 * 16 * 1024;
  slow.sent.bytesWritten += bytes - 1;
  steady.sent.bytesWritten += bytes;
  // The client has not received what is in the buffer of the connection.
  buffered.sent.bytesWritten += bytes;
  buffered.sent.writableLength = 1;
  const closed = () => [slow, steady, buffered].map(({ socket }) => socket.destroyed);
  pass(29_999);
  assert.deepEqual(closed(), [false, false, false]);
  pass(1);
  assert.deepEqual(
    [closed(), exceeded],
    [
      [true, false, true],
      ['rate', 'rate'],
    ],
  );
  assert.deepEqual(logged[0], [{ method: 'POST', url: '/' }, 'client reads too slowly']);
  pass(29_998);
  assert.deepEqual(closed(), [true, false, true]);
  pass(1);
  assert.deepEqual(closed(), [true, true, true]);
});

test('a client of events reads a byte every ten seconds', async (t) => {
  const { open, pass } = await start(t);
  const [silent, reading] = [open({ type: EVENTS }), open({ type: EVENTS })];
  for (const { respond } of [silent, reading]) respond();
  const closed = () => [silent, reading].map(({ socket }) => socket.destroyed);
  pass(0);
  pass(9999);
  reading.sent.bytesWritten += 1;
  assert.deepEqual(closed(), [false, false]);
  pass(1);
  assert.deepEqual(closed(), [true, false]);
  pass(9999);
  assert.deepEqual(closed(), [true, false]);
  pass(1);
  assert.deepEqual(closed(), [true, true]);
});

test('a body that is sent before a stream of events has the patience of a body', async (t) => {
  const { open, pass, timeouts } = await start(t);
  const { reply } = open({ type: EVENTS });
  pass(0);
  pass(29_999);
  assert.deepEqual(timeouts, []);
  pass(1);
  assert.deepEqual(timeouts, [reply]);
});

test('the time of a client begins anew with its next task, and rests while the service works', async (t) => {
  const { open, pass, timeouts } = await start(t);
  const [direct, computed] = [open(), open()];
  const closed = () => [direct, computed].map(({ socket }) => socket.destroyed);
  pass(0);
  pass(20_000);
  direct.respond();
  computed.body.complete = true;
  pass(1000);
  pass(20_000);
  computed.respond();
  pass(1000);
  pass(8999);
  assert.deepEqual(closed(), [false, false]);
  pass(1);
  assert.deepEqual(closed(), [true, false]);
  pass(20_999);
  assert.deepEqual(closed(), [true, false]);
  pass(1);
  assert.deepEqual([closed(), timeouts], [[true, true], []]);
});

test('the time of a reader begins anew with each part of a response', async (t) => {
  const { open, pass } = await start(t);
  const { raw, socket, respond } = open();
  respond();
  pass(0);
  raw.writableLength = 0;
  pass(20_000);
  raw.writableLength = 1;
  pass(9000);
  pass(29_999);
  assert.equal(socket.destroyed, false);
  pass(1);
  assert.equal(socket.destroyed, true);
});

test('a response that waits for its turn on the connection is not measured', async (t) => {
  const { open, pass } = await start(t);
  const { raw, socket, respond } = open();
  respond();
  raw.socket = null;
  pass(0);
  pass(60_000);
  assert.equal(socket.destroyed, false);
});

test('a connection has at most 16 open requests', async (t) => {
  const { open, exceeded } = await start(t);
  const { socket } = open();
  const second = open({ socket });
  for (let requests = 3; requests <= 16; requests++) assert.ok(open({ socket }).isAccepted);
  second.raw.emit('close');
  assert.ok(open({ socket }).isAccepted, 'another one has ended');
  assert.deepEqual([socket.destroyed, exceeded], [false, []]);
  assert.equal(open({ socket }).isAccepted, false);
  assert.deepEqual([socket.destroyed, exceeded], [true, ['rate']]);
  assert.equal(open({ socket }).isAccepted, false);
  assert.deepEqual(exceeded, ['rate'], 'the connection is closed once');
});

test('a request behind a stream of events closes the connection, one behind another request does not', async (t) => {
  const { open, pass, exceeded } = await start(t);
  const [alone, stream, other] = [open({ type: EVENTS }), open({ type: EVENTS }), open()];
  open({ socket: stream.socket });
  open({ socket: other.socket, type: EVENTS });
  pass(0);
  assert.deepEqual(
    [alone, stream, other].map(({ socket }) => socket.destroyed),
    [false, true, false],
  );
  assert.deepEqual(exceeded, ['rate']);
});

test('only open requests are measured', async (t) => {
  const { open, pass, close, timeouts } = await start(t);
  const ended = open();
  const next = open({ socket: ended.socket });
  pass(0);
  ended.raw.emit('close');
  ended.raw.emit('close');
  pass(30_000);
  assert.deepEqual(timeouts, [next.reply]);
  open();
  pass(0);
  await close();
  pass(30_000);
  assert.equal(timeouts.length, 1);
});
