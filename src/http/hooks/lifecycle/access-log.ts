/** Access log: one line per request, written after its response. */
import { hostname } from 'node:os';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { levels } from 'pino';
import type { Config } from '../../../config/read.ts';

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
  const render = createLineRenderer();
  app.addHook('onResponse', (_request, reply, done) => {
    if (reply.statusCode >= FIRST_ERROR_STATUS || Math.random() < fraction) write(render(reply));
    done();
  });
}

/**
 * Renders what `log.info({ reqId, method, … }, 'request completed')` would write. That takes as long as the forward pass,
 * because pino finds out for each field of each line how to write it. Members that a line shares with the one before are
 * kept: the time within a millisecond, and the request within a series of the same.
 */
function createLineRenderer(): (reply: FastifyReply) => string {
  const service = { pid: process.pid, hostname: hostname() };
  let time = 0;
  let start = '';
  const last = { method: '', url: '', statusCode: 0, members: '' };
  return ({ request, statusCode, elapsedTime }) => {
    const { id, method, url, caller } = request;
    const now = Date.now();
    if (now !== time) {
      time = now;
      start = `${openObject({ level: LEVEL, time, ...service })},"reqId":`;
    }
    if (url !== last.url || statusCode !== last.statusCode || method !== last.method) {
      // The path only, like `serializers` of the log.
      const [path] = url.split('?', 1);
      const members = openObject({ method, url: path, status: statusCode }).slice(1);
      Object.assign(last, { method, url, statusCode, members });
    }
    // Without configured keys every caller is anonymous.
    const from = caller === 'anonymous' ? '' : `,"caller":${JSON.stringify(caller)}`;
    return `${start}${JSON.stringify(id)},${last.members},"durationMs":${elapsedTime}${from},"msg":"request completed"}\n`;
  };
}

/** The JSON of an object without its end. */
const openObject = (members: object) => JSON.stringify(members).slice(0, -1);
