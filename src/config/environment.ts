/** The environment variables of the service: names, allowed values, defaults and descriptions. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { parseApiKeys } from '../domain/api-key.ts';
import { KEPT_CHECKPOINTS } from '../domain/jobs/request.ts';
import { listAlternatives } from '../domain/messages/text-lists.ts';
import { DEFAULT_IMAGE_SHAPE, valueCount } from '../numerics/network/image-shape.ts';
import { parseBlobUrl } from '../store/s3/location.ts';
import { isTechnique, TECHNIQUES } from '../tuning/switches.ts';
import {
  BASE_PATH_RULE,
  HOSTS_RULE,
  isBasePath,
  isHost,
  isNetwork,
  isOrigin,
  isTrustProxy,
  RANGES_RULE,
  splitList,
  TRUST_PROXY_RULE,
} from './network-settings.ts';

function integer(min: number, max: number) {
  const rule = `must be an integer from ${min} to ${max}`;
  return z.coerce.number(rule).int(rule).min(min, rule).max(max, rule);
}

function choice<const T extends readonly string[]>(...options: T) {
  return z.enum(options, `must be one of ${options.join(', ')}`);
}

/** Entries separated by commas. */
function list(isEntry: (entry: string) => boolean, rule: string | (() => string)) {
  return z
    .string()
    .default('')
    .transform(splitList)
    .refine((entries) => entries.every(isEntry), { error: rule });
}

const MEBIBYTE = 2 ** 20;
const ACCESS_LOG_RULE = 'must be all, errors, off, or a fraction below 1 such as sample:0.01';
const tuningRule = () => `must be a list of names: ${listAlternatives(TECHNIQUES)}`;
const DATABASE_URL_RULE = 'must be a URL such as postgresql://user:password@host:5432/atelier';
const BLOB_URL_RULE = 'must be a URL such as s3://bucket/prefix?endpoint=https://s3.example&region=eu-west-1';

/** Variables whose values are not quoted in error messages, because messages end up in logs. */
export const SECRETS: readonly string[] = [
  'API_KEYS',
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'BLOB_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

function isDatabaseUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);
}

function isBlobUrl(text: string): boolean {
  try {
    parseBlobUrl(text, 'any');
    return true;
  } catch {
    return false;
  }
}

export const environmentSchema = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: integer(0, 65_535).default(3000).describe('Port to listen on; 0 selects a free port'),
  DATA_DIR: z.string().default('./data').describe('Folder of the four `.npy` files of Fashion-MNIST'),
  DATASETS: choice('fashion-mnist', 'none')
    .default('fashion-mnist')
    .describe('Built-in data sets; with `none`, Fashion-MNIST is neither downloaded nor loaded'),
  STATE_DIR: z
    .string()
    .default('./state')
    .describe(
      'Folder of the database and the parameters; with `DATABASE_URL`, of copies. Used by one process',
    ),
  REQUIRE_VOLUME: choice('true', 'false')
    .default('false')
    .describe('Without `DATABASE_URL`: starts only if `STATE_DIR` is not on the root file system'),
  TRAINING_WORKERS: integer(1, 256)
    .default(() => Math.max(1, availableParallelism() - 1))
    .describe('Training jobs that run at the same time in this process; none with `ROLE=api`'),
  QUEUE_LIMIT: integer(1, 100_000)
    .default(100)
    .describe('Queued training jobs, and as many queued prediction jobs; further ones are rejected with 429'),
  MAX_BODY_BYTES: integer(1024, 1024 * MEBIBYTE)
    .default(64 * MEBIBYTE)
    .describe('Largest request body'),
  MAX_IMAGE_PIXELS: integer(valueCount(DEFAULT_IMAGE_SHAPE), 100_000_000)
    .default(4096 * 4096)
    .describe('Largest image that is resized, in pixels; decoding takes up to ten bytes per pixel'),
  MAX_DATASET_BYTES: integer(1024, 4095 * MEBIBYTE)
    .default(1024 * MEBIBYTE)
    .describe('Largest uploaded data set or file of a prediction job, compressed and decompressed'),
  CORS_ORIGINS: list(
    isOrigin,
    'must be a list of origins such as https://lab.example or http://localhost:5173',
  ).describe('Origins of pages that may use the service, separated by commas'),
  WEBHOOK_ORIGINS: list(
    isOrigin,
    'must be a list of origins such as https://hooks.example.org or http://10.0.0.5:8080',
  ).describe('Origins to which jobs may send webhooks, separated by commas'),
  WEBHOOK_PRIVATE_RANGES: list(isNetwork, RANGES_RULE).describe(
    'Private addresses that the host names of `WEBHOOK_ORIGINS` may resolve to: addresses and networks, separated by commas',
  ),
  ALLOWED_HOSTS: list(isHost, HOSTS_RULE).describe(
    'Without keys: further values of the `Host` header, separated by commas',
  ),
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
  PUBLIC_DOCS: choice('true', 'false')
    .optional()
    .describe('Serves /docs, /openapi.json and /llms.txt without a key'),
  PUBLIC_PAGE: choice('true', 'false')
    .default('true')
    .describe('Serves the page at `/`, without a key; its requests to the API need a key like all others'),
  RATE_LIMIT_PER_MINUTE: integer(1, 1_000_000)
    .optional()
    .describe('Requests per minute of a key, or of an address without a key, at all replicas together'),
  MAX_EVENT_LOOP_DELAY_MS: integer(1, 60_000)
    .default(50)
    .describe('Event-loop delay, measured over two seconds, above which new work gets 503'),
  STARTER_JOB: choice('on', 'off')
    .default('on')
    .describe(
      'Trains a Fashion-MNIST model on start if neither a job nor a model exists yet, unless `DATASETS` is `none`',
    ),
  CALIBRATE_PUBLISHED: choice('on', 'off')
    .default('on')
    .describe(
      'Calibrates versions as they are published, if their training held out images or their import measured test images: seconds of one processor; with `off`, at their first use',
    ),
  WIDE_VECTORS: choice('auto', 'on', 'off')
    .default('auto')
    .describe(
      'Computes with vectors of 256 bits, an experimental feature of V8; with `auto`, if a comparison at the first start shows that they give the same bits faster',
    ),
  TUNING_OFF: list(isTechnique, tuningRule).describe(
    'Techniques for speed that are switched off, separated by commas: to compare, or if one makes trouble',
  ),
  LOG_LEVEL: choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
    .default('info')
    .describe('Lowest level of logged lines'),
  SHUTDOWN_GRACE_SECONDS: integer(1, 3600).default(20).describe('Seconds a shutdown may take after SIGTERM'),
  ACCESS_LOG: z
    .string()
    .regex(/^(all|errors|off|sample:0?\.\d{1,9})$/, ACCESS_LOG_RULE)
    .default('all')
    .describe(
      'Logged requests: all, those with a status from 400 on, or none; `sample:0.01` adds 1 % of the others',
    ),
  KEEP_EVENTS_DAYS: integer(1, 36_500)
    .optional()
    .describe('Days after the end of a job until its events are deleted'),
  KEEP_CHECKPOINTS_DAYS: integer(1, 36_500)
    .optional()
    .describe('Days after the end of a job until its checkpoints are deleted'),
  KEEP_JOBS_DAYS: integer(1, 36_500)
    .optional()
    .describe(
      'Days after the end of a job until it is deleted, with its events, metrics and checkpoints, or its predictions',
    ),
  KEEP_CHECKPOINTS: choice(...KEPT_CHECKPOINTS)
    .default('best')
    .describe(
      'Checkpoints kept once a job has succeeded, unless its request sets `training.keepCheckpoints`',
    ),
  DATABASE_URL: z
    .string()
    .refine(isDatabaseUrl, DATABASE_URL_RULE)
    .optional()
    .describe(
      'PostgreSQL database that several replicas share, such as `postgresql://user:password@host/atelier`',
    ),
  DATABASE_DIRECT_URL: z
    .string()
    .refine(isDatabaseUrl, DATABASE_URL_RULE)
    .optional()
    .describe('The same database without a pooler in between, for LISTEN and migrations'),
  POOL_SIZE: integer(1, 100)
    .optional()
    .describe('Connections of a replica to the database, besides the one that listens'),
  ROLE: choice('all', 'api', 'worker')
    .default('all')
    .describe('Work of a replica: everything, everything except training, or only training'),
  REUSE_PORT: choice('on', 'off')
    .default('off')
    .describe('Lets several replicas on one machine listen on the same PORT'),
  BLOB_URL: z
    .string()
    .refine(isBlobUrl, BLOB_URL_RULE)
    .optional()
    .describe(
      'Bucket for parameters, checkpoints and data sets, such as `s3://bucket/prefix?endpoint=https://s3.example`',
    ),
  AWS_ACCESS_KEY_ID: z.string().optional().describe('Credentials for BLOB_URL'),
  AWS_SECRET_ACCESS_KEY: z.string().optional().describe('Credentials for BLOB_URL'),
  AWS_SESSION_TOKEN: z.string().optional().describe('Credentials for BLOB_URL, if they are temporary'),
  AWS_REGION: z.string().default('us-east-1').describe('Region of BLOB_URL, if the URL has no `region`'),
});

export type Environment = z.infer<typeof environmentSchema>;

/** Replaces the default of POOL_SIZE in the schema, so that a value without DATABASE_URL is detected. */
export const DEFAULT_POOL_SIZE = 4;
