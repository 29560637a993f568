/** Which request a change of a job goes back to, for the log: told to whoever is called, however deep. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyInstance } from 'fastify';

const requestIds = new AsyncLocalStorage<string>();

/** For the routes of this scope alone: predictions do not need it. */
export function trackRequestId(scope: FastifyInstance): void {
  scope.addHook('preHandler', (request, _reply, done) => requestIds.run(request.id, done));
}

/** Undefined where no request is at work. */
export const currentRequestId = (): string | undefined => requestIds.getStore();
