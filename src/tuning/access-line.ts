/** Lines of the access log, rendered from the members that change. */
import { hostname } from 'node:os';
import type { FastifyReply } from 'fastify';
import { readTraceparent } from '../http/hooks/lifecycle/trace-context.ts';

/**
 * Renders what `log.info({ reqId, method, … }, 'request completed')` would write. That takes as long as the forward pass,
 * because pino finds out for each field of each line how to write it. Members that a line shares with the one before are
 * kept: the time within a millisecond, and the request within a series of the same.
 * @param level number of the level `info`
 */
export function createLineRenderer(level: number): (reply: FastifyReply) => string {
  const service = { pid: process.pid, hostname: hostname() };
  let time = 0;
  let start = '';
  const last = { method: '', url: '', statusCode: 0, members: '' };
  return ({ request, statusCode, elapsedTime }) => {
    const { id, method, url, caller, headers } = request;
    const now = Date.now();
    if (now !== time) {
      time = now;
      start = `${openObject({ level, time, ...service })},"reqId":`;
    }
    if (url !== last.url || statusCode !== last.statusCode || method !== last.method) {
      // The path only, like `serializers` of the log.
      const [path] = url.split('?', 1);
      const members = openObject({ method, url: path, status: statusCode }).slice(1);
      Object.assign(last, { method, url, statusCode, members });
    }
    // Without configured keys every caller is anonymous.
    const from = caller === 'anonymous' ? '' : `,"caller":${JSON.stringify(caller)}`;
    const traceparent = readTraceparent(headers);
    const trace = traceparent === undefined ? '' : `,"traceparent":"${traceparent}"`;
    return `${start}${JSON.stringify(id)},${last.members},"durationMs":${elapsedTime}${from}${trace},"msg":"request completed"}\n`;
  };
}

/** The JSON of an object without its end. */
const openObject = (members: object) => JSON.stringify(members).slice(0, -1);
