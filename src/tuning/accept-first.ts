/** Accepts a burst of connections before it reads from any of them. */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { isOn } from './switches.ts';

/** Longest time for which a connection waits for further ones to be accepted. */
const MAX_WAIT_MS = 200;

/** Servers that are accepting connections, or have not read from the new ones yet. */
const accepting = new WeakSet<FastifyInstance['server']>();

export const isAccepting = ({ server }: FastifyInstance): boolean => accepting.has(server);

/**
 * libuv accepts one connection per turn of the event loop. If hundreds connect at once and each turn also handles the
 * requests of those already accepted, the last one waits for seconds. So new connections stay paused until a turn
 * accepts no further one, and turns are short until then: start-together.ts starts no handlers either.
 */
export function acceptBeforeReading(app: FastifyInstance): void {
  if (!isOn('accept-first')) return;
  const paused: Socket[] = [];
  let since = 0;
  let hasAccepted = false;

  function resumeWhenQuiet(): void {
    if (hasAccepted && performance.now() - since < MAX_WAIT_MS) {
      hasAccepted = false;
      setImmediate(resumeWhenQuiet);
      return;
    }
    for (const socket of paused.splice(0)) socket.resume();
    // The next turn reads from them, before it starts handlers.
    setImmediate(() => {
      if (paused.length === 0) accepting.delete(app.server);
    });
  }

  app.server.on('connection', (socket) => {
    hasAccepted = true;
    // The HTTP server begins to read from it in the next tick, so it is paused after that.
    process.nextTick(() => socket.pause());
    if (paused.push(socket) > 1) return;
    accepting.add(app.server);
    since = performance.now();
    setImmediate(resumeWhenQuiet);
  });
}
