/** `Prefer: wait=…` (RFC 7240, section 4.3): delays a response until a training job has ended. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isEnded } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { hasCode } from '../../errors.ts';
import type { WaitForEnd } from '../../services/events/wait-for-end.ts';
import { onceClosed } from '../hooks/connections/client.ts';
import { addVary } from './negotiate.ts';

/** A longer wait is shortened. Proxies usually give up after a minute. */
export const MAX_WAIT_SECONDS = 60;

export const preferHeader = {
  prefer: z
    .string()
    .optional()
    .describe(
      `\`wait=30\` delays the response until the job has ended, for at most that many seconds, up to ${MAX_WAIT_SECONDS}. ` +
        '`Preference-Applied` shows that the service waited.',
    ),
};

/** Waits as the request prefers, and sets the headers of the response. Resolves to whether the job may have changed. */
export type WaitAsPreferred = (
  request: FastifyRequest,
  reply: FastifyReply,
  job: Pick<TrainingJob, 'id' | 'status'>,
) => Promise<boolean>;

/**
 * @param options.stopping aborts at shutdown and so ends all waits
 * @param options.countStream counts a wait as a stream of its client; throws `overloaded` beyond the limit
 */
export function createWaitAsPreferred(options: {
  waitForEnd: WaitForEnd;
  stopping: () => AbortSignal;
  countStream: (reply: FastifyReply) => void;
}): WaitAsPreferred {
  const { waitForEnd, stopping, countStream } = options;
  return async (request, reply, { id, status }) => {
    addVary(reply, 'Prefer');
    const seconds = Math.min(preferredSeconds(request.headers['prefer']), MAX_WAIT_SECONDS);
    if (seconds === 0) return false;
    if (isEnded(status)) {
      reply.header('preference-applied', `wait=${seconds}`);
      return false;
    }
    try {
      countStream(reply);
    } catch (error) {
      // A preference may be ignored, and a job that has just been created must not seem to have failed.
      if (hasCode(error, 'overloaded')) return false;
      throw error;
    }
    reply.countAsStream('wait');
    const ending = new AbortController();
    const end = () => ending.abort();
    const timer = setTimeout(end, seconds * 1000);
    stopping().addEventListener('abort', end);
    onceClosed(reply, end);
    if (stopping().aborted) end();
    await waitForEnd(id, ending.signal);
    clearTimeout(timer);
    stopping().removeEventListener('abort', end);
    reply.header('preference-applied', `wait=${seconds}`);
    return true;
  };
}

/** 0 without a valid preference: RFC 7240 lets a server ignore invalid ones. The first one of several counts. */
function preferredSeconds(header: string | string[] | undefined): number {
  const preferences = [header ?? []].flat().join(',').split(',');
  for (const preference of preferences) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d+)"?\s*(?:;.*)?$/i.exec(preference) ?? [];
    if (seconds !== undefined) return Number(seconds);
  }
  return 0;
}
