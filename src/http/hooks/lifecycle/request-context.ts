/** Makes the id of the current request available to log lines further down the call stack. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FastifyInstance } from 'fastify';

const requestIds = new AsyncLocalStorage<string>();

/** Makes the id available in the handlers of this scope only, because predictions do not need it. */
export function trackRequestId(scope: FastifyInstance): void {
  scope.addHook('preHandler', (request, _reply, done) => requestIds.run(request.id, done));
}

/** Undefined outside of requests, and in scopes without `trackRequestId`. */
export const currentRequestId = (): string | undefined => requestIds.getStore();
