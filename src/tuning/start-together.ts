/** Starts the handlers of all requests that arrived in one turn of the event loop one after the other. */
import type { FastifyInstance } from 'fastify';
import { isAccepting } from './accept-first.ts';
import { isOn } from './switches.ts';

/**
 * Most turns for which handlers wait for connections that are being accepted, one in each turn. Not a time: on a busy machine it
 * would end before they are accepted.
 */
const MAX_HELD_TURNS = 100;

/**
 * Their responses are then written in a row. The first one wakes the client, and the others find it awake. This takes the
 * kernel less time.
 * @param scope whose handlers are short, or wait for a thread
 */
export function startTogether(scope: FastifyInstance, maxHeldTurns = MAX_HELD_TURNS): void {
  if (!isOn('start-together')) return;
  let waiting: (() => void)[] = [];
  let heldTurns = 0;
  function startAll(): void {
    if (isAccepting(scope) && heldTurns < maxHeldTurns) {
      heldTurns += 1;
      setImmediate(startAll);
      return;
    }
    heldTurns = 0;
    const arrived = waiting;
    waiting = [];
    for (const start of arrived) start();
  }
  scope.addHook('preHandler', (_request, _reply, done) => {
    if (waiting.push(done) === 1) setImmediate(startAll);
  });
}
