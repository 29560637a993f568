/** Backpressure: a late event loop rejects lists first, then new work, then everything except probes. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';
import { createSemaphore } from '../../../concurrency/semaphore.ts';
import { MAX_RETRY_SECONDS } from '../../../concurrency/work-times.ts';
import { AtelierError } from '../../../errors.ts';
import { isLargeBody } from './large-bodies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether requests are rejected first; `large-body`: only if the body is large. Default: true for POST. */
    sheddable?: boolean | 'large-body';
    /**
     * For reads that take milliseconds of the main thread, such as lists: they are rejected before new work is, and one
     * is started per turn of the event loop, so that predictions wait for at most one of them.
     */
    priority?: 'low';
  }
}

/** Fraction of the limit for new work above which requests of low priority are rejected. */
export const LOW_PRIORITY_FRACTION = 0.5;
/** Limit of requests of low priority that are waiting for their turn. */
export const MAX_WAITING_READS = 128;

/** Above this multiple of the limit for new work, everything except probes is rejected. */
export const CRITICAL_FACTOR = 20;
export const SAMPLE_MS = 1000;
const RESOLUTION_MS = 10;

/**
 * Measures the delay of the event loop while the server listens: the smaller of the last two sampled means, so that a
 * single pause, as at startup, does not count.
 * @returns a function that returns the delay in milliseconds
 */
export function measureDelay(app: FastifyInstance, sampleMs = SAMPLE_MS): () => number {
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

  function start(): void {
    histogram.enable();
    sampledAt = performance.now();
    timer = setInterval(sample, sampleMs).unref();
  }

  app.addHook('onReady', async () => {
    if (app.server.listening) start();
    else app.server.once('listening', start);
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    histogram.disable();
  });
  return () => delayMs;
}

/**
 * Rejects requests with `overloaded` while the event loop is late.
 * @param maxDelayMs event-loop delay above which new work is rejected
 * @param currentDelay the delay now, in milliseconds
 */
export function shedLoad(app: FastifyInstance, maxDelayMs: number, currentDelay: () => number): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const delayMs = currentDelay();
    if (delayMs <= maxDelayMs * LOW_PRIORITY_FRACTION || !isRejected(request, delayMs)) return done();
    const message = `The service is overloaded: its event loop is ${Math.ceil(delayMs)} ms late. Try again shortly.`;
    const retryAfterSeconds = Math.min(Math.max(1, Math.ceil(delayMs / 1000)), MAX_RETRY_SECONDS);
    done(new AtelierError('overloaded', message, { retryAfterSeconds }));
  });

  function isRejected(request: FastifyRequest, delayMs: number): boolean {
    if (delayMs > maxDelayMs * CRITICAL_FACTOR) return !isProbe(request);
    if (isLowPriority(request)) return true;
    return delayMs > maxDelayMs && isSheddable(request);
  }
}

/** Starts the handlers of requests of low priority, one per turn of the event loop. */
export function deferLowPriority(app: FastifyInstance): void {
  const turns = createSemaphore(1, MAX_WAITING_READS, 'a list');
  const defer: preHandlerAsyncHookHandler = async (request) => {
    if (!isLowPriority(request)) return;
    using _turn = await turns.acquire();
    await setImmediate();
  };
  app.addHook('onRoute', (route) => {
    if (route.config?.priority === 'low') route.preHandler = [defer, ...[route.preHandler ?? []].flat()];
  });
}

/** A stream of events is not a list: it starts in no time, and an EventSource never retries after a 503. */
function isLowPriority({ routeOptions, headers }: FastifyRequest): boolean {
  return routeOptions.config.priority === 'low' && !headers.accept?.includes('text/event-stream');
}

function isSheddable(request: FastifyRequest): boolean {
  const { sheddable = request.method === 'POST' } = request.routeOptions.config;
  return sheddable === 'large-body' ? isLargeBody(request) : sheddable;
}

/** Health and metrics are served under any load and during shutdown. */
export function isProbe({ url }: FastifyRequest): boolean {
  return /^\/(v2\/)?health\/|^\/(metrics|ping|health)?$/.test(url);
}
