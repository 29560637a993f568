/** Environment → validated, frozen configuration. The only reader of `process.env` in `src/`. */

import { BlockList, isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type ApiKey, parseApiKeys } from './domain/api-key.ts';
import { AtelierError } from './errors.ts';

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const truth = z.enum(['true', 'false']);
const MEBIBYTE = 2 ** 20;
/** Their values are not repeated: what is refused ends up in a log. */
const SECRETS = ['API_KEYS', 'DATABASE_URL'];

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** Scheme, host and port as a browser writes them: nothing else would ever be equal to what it sends. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export const environmentSchema = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on; 0 takes a free one'),
  DATA_DIR: z.string().default('./data').describe('Folder of the four `.npy` files'),
  STATE_DIR: z.string().default('./state').describe('Database and parameters; held by one process at a time'),
  TRAINING_WORKERS: whole(1, 256)
    .default(() => Math.max(1, availableParallelism() - 1))
    .describe('Training jobs that run at once'),
  QUEUE_LIMIT: whole(1, 100_000).default(100).describe('Queued jobs; one more is answered with 429'),
  MAX_BODY_BYTES: whole(1024, 1024 * MEBIBYTE)
    .default(64 * MEBIBYTE)
    .describe('Largest request body'),
  MAX_DATASET_BYTES: whole(1024, 4095 * MEBIBYTE)
    .default(1024 * MEBIBYTE)
    .describe('Largest data set that is uploaded, packed and unpacked'),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .transform((origins) => origins.filter((origin) => origin !== ''))
    .refine(
      (origins) => origins.every(isOrigin),
      'is a list of origins, as https://lab.example or http://localhost:5173',
    )
    .describe('Origins of pages that may read answers, separated by commas; none'),
  API_KEYS: z
    .string()
    .transform((text, context) => {
      try {
        return parseApiKeys(text);
      } catch (error) {
        context.addIssue((error as RangeError).message);
        return z.NEVER;
      }
    })
    .default([])
    .describe('`name:scope+scope:sha256-of-key`, separated by commas'),
  ALLOW_ANONYMOUS: truth.default('false').describe('Whether it may be open beyond the loopback address'),
  PUBLIC_METRICS: truth.optional().describe('Whether /metrics needs no key'),
  PUBLIC_DOCS: truth.optional().describe('Whether /docs and /openapi.json need no key'),
  RATE_LIMIT_PER_MINUTE: whole(1, 1_000_000)
    .optional()
    .describe('Requests of a key, or of an address without one'),
  MAX_EVENT_LOOP_DELAY_MS: whole(1, 60_000)
    .default(50)
    .describe('Delay, for two seconds, above which new work is answered with 503'),
  STARTER_JOB: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether an empty store trains the notebook’s network'),
  WIDE_VECTORS: z
    .enum(['on', 'off'])
    .default('off')
    .describe('Whether the kernel computes with 256 bits at once, an experimental part of V8'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('pino’s'),
  SHUTDOWN_GRACE_SECONDS: whole(1, 3600).default(20).describe('Time for requests in flight after SIGTERM'),
  DATABASE_URL: z.undefined('is not supported yet: the state is kept in STATE_DIR; unset it').optional(),
});

export type Config = Readonly<{
  host: string;
  port: number;
  dataDir: string;
  stateDir: string;
  trainingWorkers: number;
  queueLimit: number;
  maxBodyBytes: number;
  maxDatasetBytes: number;
  corsOrigins: readonly string[];
  keys: readonly ApiKey[];
  /** Others reach it and no keys are set, so that it needs one of its own. */
  needsOwnKey: boolean;
  publicMetrics: boolean;
  publicDocs: boolean;
  rateLimitPerMinute: number | null;
  maxEventLoopDelayMs: number;
  starterJob: boolean;
  wideVectors: boolean;
  logLevel: z.infer<typeof environmentSchema>['LOG_LEVEL'];
  shutdownGraceSeconds: number;
}>;

type Environment = z.infer<typeof environmentSchema>;

/** Whoever reaches it may do everything. */
function isOpen(env: Environment): boolean {
  return env.API_KEYS.length === 0 && (isLoopback(env.HOST) || env.ALLOW_ANONYMOUS === 'true');
}

function refuseContradictions(env: Environment, context: z.RefinementCtx): void {
  const refuse = (name: keyof Environment, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (env.ALLOW_ANONYMOUS === 'true' && env.API_KEYS.length > 0) {
    refuse('ALLOW_ANONYMOUS', 'contradicts API_KEYS, without which nobody gets in; unset one of them');
  }
  for (const name of ['PUBLIC_METRICS', 'PUBLIC_DOCS'] as const) {
    if (env[name] === 'false' && isOpen(env)) {
      refuse(name, 'cannot be kept, since there are no keys here; set API_KEYS');
    }
  }
}

/**
 * @param environment an unset and an empty variable both mean the default
 * @throws AtelierError `invalid-configuration`, naming every variable that does not fit
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = environmentSchema.superRefine(refuseContradictions).safeParse(given);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return `${SECRETS.includes(name) ? name : `${name}=${given[name]}`}: ${issue.message}`;
    });
    throw new AtelierError(
      'invalid-configuration',
      `Environment variables that do not fit: ${lines.join('; ')}`,
    );
  }
  const env = result.data;
  const local = isLoopback(env.HOST);
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    dataDir: resolve(env.DATA_DIR),
    stateDir: resolve(env.STATE_DIR),
    trainingWorkers: env.TRAINING_WORKERS,
    queueLimit: env.QUEUE_LIMIT,
    maxBodyBytes: env.MAX_BODY_BYTES,
    maxDatasetBytes: env.MAX_DATASET_BYTES,
    corsOrigins: Object.freeze(env.CORS_ORIGINS),
    keys: Object.freeze(env.API_KEYS),
    needsOwnKey: !isOpen(env) && env.API_KEYS.length === 0,
    publicMetrics: env.PUBLIC_METRICS === undefined ? local : env.PUBLIC_METRICS === 'true',
    publicDocs: env.PUBLIC_DOCS === undefined ? local : env.PUBLIC_DOCS === 'true',
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE ?? null,
    maxEventLoopDelayMs: env.MAX_EVENT_LOOP_DELAY_MS,
    starterJob: env.STARTER_JOB === 'on',
    wideVectors: env.WIDE_VECTORS === 'on',
    logLevel: env.LOG_LEVEL,
    shutdownGraceSeconds: env.SHUTDOWN_GRACE_SECONDS,
  });
}
