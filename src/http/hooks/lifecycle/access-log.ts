/** Access log: one line per request, written after its response. */
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify';
import { levels } from 'pino';
import type { Config } from '../../../config/read.ts';
import { createLineRenderer } from '../../../tuning/access-line.ts';
import { isOn } from '../../../tuning/switches.ts';
import { readTraceparent } from './trace-context.ts';

/** First status that is always logged: a rejected request is the client's error, and as interesting as ours. */
const FIRST_ERROR_STATUS = 400;
const LEVEL = levels.values['info']!;

export type WriteLine = (line: string) => void;

/**
 * @param fraction of the successful requests that are logged; null logs no request at all
 * @param write writes a line to the destination of the logger
 */
export function logRequests(app: FastifyInstance, fraction: Config['accessLog'], write: WriteLine): void {
  const minimum = levels.values[app.log.level] ?? Number.POSITIVE_INFINITY;
  if (fraction === null || minimum > LEVEL) return;
  const render = createLineRenderer(LEVEL);
  const writeLine = isOn('access-line')
    ? (reply: FastifyReply) => write(render(reply))
    : createPinoWriter(app.log);
  app.addHook('onResponse', (_request, reply, done) => {
    if (reply.statusCode >= FIRST_ERROR_STATUS || Math.random() < fraction) writeLine(reply);
    done();
  });
}

/** Writes the line through pino, with the same members as the renderer of `tuning`. */
const createPinoWriter =
  (log: FastifyBaseLogger) =>
  ({ request, statusCode, elapsedTime }: FastifyReply): void => {
    const { id: reqId, method, url, caller } = request;
    const traceparent = readTraceparent(request.headers);
    const fields = {
      reqId,
      method,
      url,
      status: statusCode,
      durationMs: elapsedTime,
      ...(caller !== 'anonymous' && { caller }),
      ...(traceparent !== undefined && { traceparent }),
    };
    log.info(fields, 'request completed');
  };
