/** Backpressure: a late event loop rejects new work first, then everything except probes. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { isLargeBody } from './large-bodies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether requests are rejected first; `large-body`: only if the body is large. Default: true for POST. */
    sheddable?: boolean | 'large-body';
  }
}

/** Above this multiple of the limit for new work, everything except probes is rejected. */
export const CRITICAL_FACTOR = 20;
export const SAMPLE_MS = 1000;
const RESOLUTION_MS = 10;

/**
 * Rejects requests with `overloaded` while the event loop is late. Its delay is the smaller of the last two sampled
 * means, so that a single pause, as at startup, does not count. Samples are taken while the server listens.
 * @param maxDelayMs event-loop delay above which new work is rejected
 */
export function shedLoad(app: FastifyInstance, maxDelayMs: number, sampleMs = SAMPLE_MS): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let timer: NodeJS.Timeout | undefined;
  let sampledAt = 0;
  let lastMean = 0;
  let delayMs = 0;

  function sample(): void {
    const now = performance.now();
    // A measurement takes two turns of the event loop. If none was made, the delay is at least the whole interval.
    const mean = histogram.count === 0 ? now - sampledAt : histogram.mean / 1e6 - RESOLUTION_MS;
    sampledAt = now;
    delayMs = Math.min(lastMean, mean);
    lastMean = mean;
    histogram.reset();
  }

  app.addHook('onListen', async () => {
    histogram.enable();
    sampledAt = performance.now();
    timer = setInterval(sample, sampleMs).unref();
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    histogram.disable();
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (delayMs <= maxDelayMs) return done();
    const isRejected = delayMs > maxDelayMs * CRITICAL_FACTOR ? !isProbe(request) : isSheddable(request);
    if (!isRejected) return done();
    const message = `The service is overloaded: its event loop is ${Math.ceil(delayMs)} ms late. Try again shortly.`;
    done(new AtelierError('overloaded', message));
  });
}

function isSheddable(request: FastifyRequest): boolean {
  const { sheddable = request.method === 'POST' } = request.routeOptions.config;
  return sheddable === 'large-body' ? isLargeBody(request) : sheddable;
}

/** Health and metrics are served under any load and during shutdown. */
export function isProbe({ url }: FastifyRequest): boolean {
  return /^\/(v2\/)?health\/|^\/(metrics|ping)$/.test(url);
}
