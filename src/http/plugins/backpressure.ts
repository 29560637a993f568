/** A main thread that is late: new work is refused, so that predictions go on; far too late, all but what watches it is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { isLargeBody } from './large-bodies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Refused first; by default what is a POST. */
    sheddable?: boolean | 'large-body';
  }
}

/** Times the delay at which new work is refused, everything is. */
export const CRITICAL_FACTOR = 20;
const SAMPLE_MS = 1000;
const RESOLUTION_MS = 10;

/**
 * The delay is the smaller of the means of the last two seconds: a single pause, as that of a start, does not count.
 * Measured while the service listens.
 * @param maxDelayMs of the event loop, above which new work is refused
 */
export function shedLoad(app: FastifyInstance, maxDelayMs: number, sampleMs = SAMPLE_MS): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let timer: NodeJS.Timeout | undefined;
  let sampledAt = 0;
  let last = 0;
  let delayMs = 0;

  function sample(): void {
    const now = performance.now();
    // It takes two turns of the event loop to measure one: where there were none, it is as late as that.
    const mean = histogram.count === 0 ? now - sampledAt : histogram.mean / 1e6 - RESOLUTION_MS;
    sampledAt = now;
    delayMs = Math.min(last, mean);
    last = mean;
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
    const rejected = delayMs > maxDelayMs * CRITICAL_FACTOR ? !isProbe(request) : isSheddable(request);
    if (!rejected) return done();
    const late = `The service is ${Math.ceil(delayMs)} ms late in whatever it does`;
    done(new AtelierError('overloaded', `${late}. Try again shortly.`));
  });
}

function isSheddable(request: FastifyRequest): boolean {
  const { sheddable = request.method === 'POST' } = request.routeOptions.config;
  return sheddable === 'large-body' ? isLargeBody(request) : sheddable;
}

/** Answered in any case, also while the service shuts down. */
export function isProbe({ url }: FastifyRequest): boolean {
  return /^\/(v2\/)?health\/|^\/(metrics|ping)$/.test(url);
}
