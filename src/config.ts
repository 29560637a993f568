/** Configuration: the validated environment. The only reader of `process.env` in `src/`. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type ApiKey, parseApiKeys } from './domain/api-key.ts';
import { AtelierError } from './errors.ts';
import {
  BASE_PATH_RULE,
  HOSTS_RULE,
  hostsWithoutKeys,
  isBasePath,
  isHost,
  isLoopback,
  isOrigin,
  isTrustProxy,
  parseTrustProxy,
  splitList,
  TRUST_PROXY_RULE,
} from './network-settings.ts';
import { describeUnknownVariables } from './unknown-variables.ts';

function integer(min: number, max: number) {
  const rule = `must be an integer from ${min} to ${max}`;
  return z.coerce.number(rule).int(rule).min(min, rule).max(max, rule);
}

function choice<const T extends readonly string[]>(...options: T) {
  return z.enum(options, `must be one of ${options.join(', ')}`);
}

const MEBIBYTE = 2 ** 20;
/** Variables whose values are not quoted in error messages, because messages end up in logs. */
const SECRETS = ['API_KEYS', 'DATABASE_URL'];

export const environmentSchema = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: integer(0, 65_535).default(3000).describe('Port to listen on; 0 selects a free port'),
  DATA_DIR: z.string().default('./data').describe('Folder of the four `.npy` files of Fashion-MNIST'),
  STATE_DIR: z
    .string()
    .default('./state')
    .describe('Folder of the database and the parameters; locked by one process'),
  TRAINING_WORKERS: integer(1, 256)
    .default(() => Math.max(1, availableParallelism() - 1))
    .describe('Training jobs that run at the same time'),
  QUEUE_LIMIT: integer(1, 100_000).default(100).describe('Queued jobs; further ones are rejected with 429'),
  MAX_BODY_BYTES: integer(1024, 1024 * MEBIBYTE)
    .default(64 * MEBIBYTE)
    .describe('Largest request body'),
  MAX_IMAGE_PIXELS: integer(28 * 28, 100_000_000)
    .default(4096 * 4096)
    .describe('Largest image for `?fit=contain`, in pixels; decoding takes up to ten bytes per pixel'),
  MAX_DATASET_BYTES: integer(1024, 4095 * MEBIBYTE)
    .default(1024 * MEBIBYTE)
    .describe('Largest uploaded data set, compressed and decompressed'),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform(splitList)
    .refine(
      (origins) => origins.every(isOrigin),
      'must be a list of origins such as https://lab.example or http://localhost:5173',
    )
    .describe('Origins of pages that may use the service, separated by commas'),
  ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform(splitList)
    .refine((hosts) => hosts.every(isHost), HOSTS_RULE)
    .describe('Without keys: further values of the `Host` header, separated by commas'),
  TRUST_PROXY: z
    .string()
    .default('')
    .transform(splitList)
    .refine(isTrustProxy, TRUST_PROXY_RULE)
    .describe('Proxies whose `X-Forwarded-For` names the client: addresses and networks, or their number'),
  BASE_PATH: z
    .string()
    .default('')
    .transform((path) => (path === '/' ? '' : path))
    .refine(isBasePath, BASE_PATH_RULE)
    .describe('Path under which clients see the service, such as `/atelier`'),
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
    .describe(
      '`name:scope+scope:sha256-of-key`, separated by commas; `:2027-01-31` after the hash is the last day',
    ),
  API_KEYS_FILE: z
    .string()
    .optional()
    .describe('File of further keys, one entry per line; read again when it changes, and on SIGHUP'),
  ALLOW_ANONYMOUS: choice('true', 'false')
    .default('false')
    .describe('Allows access without a key beyond the loopback address, and through a proxy'),
  PUBLIC_METRICS: choice('true', 'false').optional().describe('Serves /metrics without a key'),
  PUBLIC_DOCS: choice('true', 'false').optional().describe('Serves /docs and /openapi.json without a key'),
  RATE_LIMIT_PER_MINUTE: integer(1, 1_000_000)
    .optional()
    .describe('Requests per minute of a key, or of an address without a key'),
  MAX_EVENT_LOOP_DELAY_MS: integer(1, 60_000)
    .default(50)
    .describe('Event-loop delay, measured over two seconds, above which new work gets 503'),
  STARTER_JOB: choice('on', 'off')
    .default('on')
    .describe('Trains a Fashion-MNIST model on start if no job exists yet'),
  WIDE_VECTORS: choice('on', 'off')
    .default('off')
    .describe('Computes with vectors of 256 bits, an experimental feature of V8'),
  LOG_LEVEL: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
    .default('info')
    .describe('Lowest level of logged lines'),
  SHUTDOWN_GRACE_SECONDS: integer(1, 3600).default(20).describe('Seconds a shutdown may take after SIGTERM'),
  DATABASE_URL: z
    .undefined('is not supported yet. The state is stored in STATE_DIR; unset the variable')
    .optional(),
});

export type Config = Readonly<{
  host: string;
  port: number;
  dataDir: string;
  stateDir: string;
  trainingWorkers: number;
  queueLimit: number;
  maxBodyBytes: number;
  maxImagePixels: number;
  maxDatasetBytes: number;
  corsOrigins: readonly string[];
  /** Hosts without port that clients without keys may use; null: all. */
  allowedHosts: readonly string[] | null;
  /** Addresses and networks of trusted proxies, or their number; null: none. */
  trustProxy: readonly string[] | number | null;
  /** Without a slash at its end; empty without BASE_PATH. */
  basePath: string;
  /** Keys of API_KEYS. */
  keys: readonly ApiKey[];
  apiKeysFile: string | null;
  /** Whether requests need a key. */
  requiresKey: boolean;
  /** Whether ALLOW_ANONYMOUS permits access without a key from other machines and through proxies. */
  allowAnonymous: boolean;
  /** Whether the service is reachable from outside and no keys are configured. */
  needsBootstrapKey: boolean;
  publicMetrics: boolean;
  publicDocs: boolean;
  rateLimitPerMinute: number | null;
  maxEventLoopDelayMs: number;
  starterJob: boolean;
  wideVectors: boolean;
  logLevel: z.infer<typeof environmentSchema>['LOG_LEVEL'];
  shutdownGraceSeconds: number;
  /** Messages to log at start, about unknown variables that may be mistyped. */
  warnings: readonly string[];
}>;

type Environment = z.infer<typeof environmentSchema>;

/** Whether the operator configured keys. A file of keys counts even if it is empty: access is closed then. */
function configuresKeys(env: Environment): boolean {
  return env.API_KEYS.length > 0 || env.API_KEYS_FILE !== undefined;
}

/** Whether access without a key is allowed. */
function allowsAnonymous(env: Environment): boolean {
  return !configuresKeys(env) && (isLoopback(env.HOST) || env.ALLOW_ANONYMOUS === 'true');
}

function rejectContradictions(env: Environment, context: z.RefinementCtx): void {
  const reject = (name: keyof Environment, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (env.ALLOW_ANONYMOUS === 'true' && configuresKeys(env)) {
    reject(
      'ALLOW_ANONYMOUS',
      'contradicts API_KEYS and API_KEYS_FILE, which require a key. Unset one of them',
    );
  }
  for (const name of ['PUBLIC_METRICS', 'PUBLIC_DOCS'] as const) {
    if (env[name] === 'false' && allowsAnonymous(env)) {
      reject(name, 'has no effect without keys. Set API_KEYS, or unset the variable');
    }
  }
}

/**
 * @param environment an unset and an empty variable both mean the default
 * @throws AtelierError `invalid-configuration`, naming every invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = environmentSchema.superRefine(rejectContradictions).safeParse(given);
  if (!result.success) {
    const messages = new Map<string, string>();
    for (const { path, message } of result.error.issues) {
      const name = path.join('.');
      const value = SECRETS.includes(name) || !message.startsWith('must') ? '' : `, but is "${given[name]}"`;
      if (!messages.has(name)) messages.set(name, `${name} ${message}${value}.`);
    }
    throw new AtelierError(
      'invalid-configuration',
      `Invalid environment variables: ${[...messages.values()].join(' ')}`,
    );
  }
  const env = result.data;
  // With keys, a proxy on this machine may make the service public.
  const isPublic = isLoopback(env.HOST) && allowsAnonymous(env);
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    dataDir: resolve(env.DATA_DIR),
    stateDir: resolve(env.STATE_DIR),
    trainingWorkers: env.TRAINING_WORKERS,
    queueLimit: env.QUEUE_LIMIT,
    maxBodyBytes: env.MAX_BODY_BYTES,
    maxImagePixels: env.MAX_IMAGE_PIXELS,
    maxDatasetBytes: env.MAX_DATASET_BYTES,
    corsOrigins: Object.freeze(env.CORS_ORIGINS),
    allowedHosts: hostsWithoutKeys(env.HOST, env.ALLOWED_HOSTS),
    trustProxy: parseTrustProxy(env.TRUST_PROXY),
    basePath: env.BASE_PATH,
    keys: Object.freeze(env.API_KEYS),
    apiKeysFile: env.API_KEYS_FILE === undefined ? null : resolve(env.API_KEYS_FILE),
    requiresKey: !allowsAnonymous(env),
    allowAnonymous: env.ALLOW_ANONYMOUS === 'true',
    needsBootstrapKey: !allowsAnonymous(env) && !configuresKeys(env),
    publicMetrics: env.PUBLIC_METRICS === undefined ? isPublic : env.PUBLIC_METRICS === 'true',
    publicDocs: env.PUBLIC_DOCS === undefined ? isPublic : env.PUBLIC_DOCS === 'true',
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE ?? null,
    maxEventLoopDelayMs: env.MAX_EVENT_LOOP_DELAY_MS,
    starterJob: env.STARTER_JOB === 'on',
    wideVectors: env.WIDE_VECTORS === 'on',
    logLevel: env.LOG_LEVEL,
    shutdownGraceSeconds: env.SHUTDOWN_GRACE_SECONDS,
    warnings: Object.freeze(
      describeUnknownVariables(Object.keys(given), Object.keys(environmentSchema.shape)),
    ),
  });
}
