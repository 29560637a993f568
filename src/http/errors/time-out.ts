/** The end of a request whose body does not arrive in time: answered on the connection, logged and counted as any other. */
import type { FastifyReply } from 'fastify';
import { sendClientError } from './client-error.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Of answers that Fastify does not hear of. */
    countTimedOut?: (reply: FastifyReply) => void;
  }
}

/** Answers 408, and closes the connection. */
export function rejectWithTimeout(reply: FastifyReply, logged: string, message: string): void {
  const { log, method, url, socket } = reply.request;
  log.info({ method, url, status: 408 }, logged);
  sendClientError(Object.assign(new Error(message), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket, url);
  reply.server.countTimedOut?.(reply);
}
