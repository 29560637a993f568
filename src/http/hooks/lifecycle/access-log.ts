/** Access log: one line per request, written after its response. */
import type { FastifyBaseLogger, FastifyInstance, FastifyReply } from 'fastify';
import { type Logger, symbols } from 'pino';
import type { Config } from '../../../config/read.ts';

/** First status that is always logged: a rejected request is the client's error, and as interesting as ours. */
const FIRST_ERROR_STATUS = 400;

/** @param fraction of the successful requests that are logged; null logs no request at all */
export function logRequests(app: FastifyInstance, fraction: Config['accessLog']): void {
  if (fraction === null || !isPino(app.log) || !app.log.isLevelEnabled('info')) return;
  const writeLine = createLineWriter(app.log);
  app.addHook('onResponse', (_request, reply, done) => {
    if (reply.statusCode >= FIRST_ERROR_STATUS || Math.random() < fraction) writeLine(reply);
    done();
  });
}

const isPino = (log: FastifyBaseLogger): log is Logger => symbols.streamSym in log;

/** The parts of a logger that its lines consist of; see https://getpino.io/#/docs/api?id=symbols */
interface Internals {
  readonly [symbols.streamSym]: { write(line: string): void };
  /** The time as a member: `,"time":1`. */
  readonly [symbols.timeSym]: () => string;
  /** The other fields of every line, as members. */
  readonly [symbols.chindingsSym]: string;
}

/**
 * Writes what `log.info({ reqId, method, … }, 'request completed')` would. That takes as long as the forward pass, because
 * pino finds out for each field of each line how to write it. Members that a line shares with the one before are kept:
 * the time within a millisecond, and the request within a series of the same.
 */
function createLineWriter(log: Logger): (reply: FastifyReply) => void {
  const internals = log as unknown as Internals;
  const stream = internals[symbols.streamSym];
  const level = `{"level":${log.levels.values['info']}`;
  const bindings = `${internals[symbols.chindingsSym]},"reqId":"`;
  let time = 0;
  let start = '';
  const last = { method: '', url: '', statusCode: 0, members: '' };
  return ({ request, statusCode, elapsedTime }) => {
    const { id, method, url, caller } = request;
    const now = Date.now();
    if (now !== time) {
      time = now;
      start = level + internals[symbols.timeSym]() + bindings;
    }
    if (url !== last.url || statusCode !== last.statusCode || method !== last.method) {
      Object.assign(last, { method, url, statusCode });
      // The path only, like `serializers` of the log.
      const path = JSON.stringify(url.split('?', 1)[0]);
      last.members = `","method":"${method}","url":${path},"status":${statusCode},"durationMs":`;
    }
    // Without configured keys every caller is anonymous.
    const from = caller === 'anonymous' ? '' : `,"caller":${JSON.stringify(caller)}`;
    stream.write(`${start}${id}${last.members}${elapsedTime}${from},"msg":"request completed"}\n`);
  };
}
