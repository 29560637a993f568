/** Starts the service in this process: real data, threads and temporary directory. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getTestContext } from 'node:test';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import type { z } from 'zod';
import { readConfig } from '../../src/config/read.ts';
import type { trainingRequestSchema } from '../../src/domain/jobs/request.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { type Problem, problemSchema } from '../../src/http/errors/problem.ts';
import type { Service } from '../../src/process/start.ts';
import { SMALL_DATA_DIR } from './data-directory.ts';

/** The lifetime of a resource: a test context, or `{ after }` of node:test for a whole file. */
export interface Scope {
  after(cleanup: () => Promise<void>): void;
}
const cleanups = new WeakMap<Scope, (() => Promise<unknown>)[]>();

/** Runs clean-ups in reverse order, so that a directory is removed last; node:test would run it first. */
export function addCleanup(scope: Scope, cleanup: () => Promise<unknown>): void {
  const known = cleanups.get(scope);
  if (known) return void known.unshift(cleanup);
  const steps = [cleanup];
  cleanups.set(scope, steps);
  scope.after(async () => {
    for (const step of steps) await step();
  });
}

export type TrainingBody = z.input<typeof trainingRequestSchema>;

export async function temporaryDirectory(scope: Scope): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'atelier-service-'));
  addCleanup(scope, () => rm(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Starts the service. It is closed at the end of the scope, if the test has not closed it before. A response that differs
 * from the OpenAPI document makes `app.inject` reject, or fails the test at its end.
 * @param onLine called with every line of the log; LOG_LEVEL is `error` unless `environment` sets it
 */
export async function startService(
  scope: Scope,
  environment: Record<string, string> = {},
  onLine: (line: string) => void = () => {},
): Promise<Omit<Service, 'start'>> {
  // Half of a second of modules, which most files that start a process of their own do not need.
  const { openService } = await import('../../src/process/start.ts');
  const { checkInjected, checkSent } = await import('./response-contract.ts');
  let assertSent = () => {};
  // Before the other clean-ups, which run in reverse order: a difference must not prevent them.
  addCleanup(scope, async () => assertSent());
  const config = readConfig({
    STATE_DIR: environment['STATE_DIR'] ?? (await temporaryDirectory(scope)),
    DATA_DIR: SMALL_DATA_DIR,
    STARTER_JOB: 'off',
    // Versions would change some time after their publication.
    CALIBRATE_PUBLISHED: 'off',
    TRAINING_WORKERS: '2',
    // Other processes make the event loop of the test late, and a 503 would fail it.
    MAX_EVENT_LOOP_DELAY_MS: '60000',
    ...environment,
  });
  const atelier = await openService(
    config,
    pino({ level: environment['LOG_LEVEL'] ?? 'error' }, { write: onLine }),
    { writeLine: onLine },
  );
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= atelier.close());
  addCleanup(scope, close);
  await atelier.start();
  checkInjected(atelier.app);
  cancelLeftJobs(atelier.app);
  assertSent = checkSent(atelier.app.server);
  return { ...atelier, close };
}

/** Cancels a job at the end of the test that created it: one that a failed test leaves would keep its slot from the next. */
function cancelLeftJobs(app: FastifyInstance): void {
  const inject = app.inject as (options: string | InjectOptions) => Promise<LightMyRequestResponse>;
  async function injectAndCancel(options: string | InjectOptions): Promise<LightMyRequestResponse> {
    const response = await inject(options);
    const { location } = response.headers;
    const context = getTestContext();
    if (
      response.statusCode === 202 &&
      location?.includes('/training-jobs/') &&
      context &&
      'after' in context
    ) {
      // The service may have ended before the test.
      addCleanup(context, () => inject({ method: 'POST', url: `${location}/cancel` }).catch(() => {}));
    }
    return response;
  }
  Object.assign(app, { inject: injectAndCancel });
}

/**
 * A request for two training steps, each metric measured once. It publishes a version in any case. The gradient check would
 * take a quarter of the time; a test that concerns it requests it.
 */
export function tiny(changes: Partial<TrainingBody> = {}): TrainingBody {
  return {
    dataset: 'fashion-mnist',
    network: { hidden: [4] },
    training: { epochs: 1, batchSize: 1024, validation: { fraction: 0.8 } },
    gradientCheck: false,
    publish: { evenIfNotLearned: true },
    ...changes,
  };
}

/** Steps of one image take long for what they compute, and with a low rate they diverge as little as those of batches. */
const ONE_BY_ONE = { batchSize: 1, optimizer: { learningRate: 0.005 } };

/** A training that does not end during a test. */
export const endless: TrainingBody = tiny({ training: { ...ONE_BY_ONE, epochs: 10_000 } });

/** Sixteen epochs. Reacting to the event of the first one takes far less time than the other fifteen, on any machine. */
export const interruptible: TrainingBody = tiny({
  modelName: 'interrupted',
  training: { ...ONE_BY_ONE, epochs: 16 },
});

export async function queueJob(app: FastifyInstance, body: TrainingBody = tiny()): Promise<TrainingJob> {
  const response = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: body });
  assert.equal(response.statusCode, 202, response.body);
  return response.json();
}

export async function cancelJob(app: FastifyInstance, id: string): Promise<TrainingJob> {
  const response = await app.inject({ method: 'POST', url: `/v1/training-jobs/${id}/cancel` });
  assert.equal(response.statusCode, 202, response.body);
  return response.json();
}

/** Waits until `holds`: checked now, and after each event of the job. */
export async function untilJob(
  app: FastifyInstance,
  id: string,
  holds: (job: TrainingJob) => boolean | Promise<boolean>,
): Promise<TrainingJob> {
  const url = `/v1/training-jobs/${id}`;
  const headers = { accept: 'text/event-stream' };
  const followed = await app.inject({ url: `${url}/events`, headers, payloadAsStream: true });
  assert.equal(followed.statusCode, 200);
  const events = followed.stream();
  for await (const _ of events.iterator({ destroyOnReturn: false })) {
    const response = await app.inject(url);
    assert.equal(response.statusCode, 200, response.body);
    const job = response.json<TrainingJob>();
    if (await holds(job)) {
      // The service sends the rest in any case; unread, it would hold up the shutdown.
      events.resume();
      return job;
    }
    assert.ok(job.finishedAt === null, `the job has ended: ${response.body}`);
  }
  throw new Error(`The events of ${id} ended before the job did.`);
}

export const hasEnded = (job: TrainingJob) => job.finishedAt !== null;
export const isRunning = (job: TrainingJob) => job.status === 'running';
/** Whether the job has completed at least one step, so that an interruption hits a training in progress. */
export const isUnderway = (job: TrainingJob) => isRunning(job) && job.progress.step > 0;

/** Runs a job and returns it when it has ended, with any status. */
export async function train(app: FastifyInstance, body: TrainingBody = tiny()): Promise<TrainingJob> {
  return untilJob(app, (await queueJob(app, body)).id, hasEnded);
}

/** A test image, in one of the formats of the data set's image route. */
export async function testImage(
  app: FastifyInstance,
  index: number,
  accept = 'application/octet-stream',
): Promise<Buffer> {
  const url = `/v1/datasets/fashion-mnist/splits/test/images/${index}`;
  const response = await app.inject({ url, headers: { accept } });
  assert.equal(response.statusCode, 200, response.body);
  return response.rawPayload;
}

/** @param place expected in `errors`: a JSON pointer into the body, or the name of a parameter */
export function assertProblem(
  response: Pick<LightMyRequestResponse, 'statusCode' | 'headers' | 'body'>,
  status: number,
  code: ErrorCode,
  place?: string,
): Problem {
  assert.match(String(response.headers['content-type']), /^application\/problem\+json(;|$)/, response.body);
  const problem = problemSchema.parse(JSON.parse(response.body));
  assert.deepEqual(
    [response.statusCode, problem.status, problem.code],
    [status, status, code],
    problem.detail,
  );
  assert.equal(problem.requestId, response.headers['x-request-id']);
  if (place !== undefined) {
    const places = problem.errors?.map((error) => ('pointer' in error ? error.pointer : error.parameter));
    assert.ok(places?.includes(place), `${place} is not among ${places}: ${problem.detail}`);
  }
  return problem;
}
