/** Configuration: the validated environment. The only reader of `process.env` in `src/`. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import { AtelierError } from '../errors.ts';
import { allowsAnonymous, configuresKeys, rejectContradictions } from './contradictions.ts';
import { DEFAULT_POOL_SIZE, type Environment, environmentSchema, SECRETS } from './environment.ts';
import { hostsWithoutKeys, isLoopback, parseTrustProxy } from './network-settings.ts';
import { describeUnknownVariables } from './unknown-variables.ts';

export type Config = ReturnType<typeof readConfig>;
/** The database that replicas share, and the bucket beside it. */
export type DatabaseConfig = NonNullable<Config['database']>;

/**
 * @param environment an unset and an empty variable both mean the default
 * @throws AtelierError `invalid-configuration`, naming every invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = environmentSchema.superRefine(rejectContradictions).safeParse(given);
  if (!result.success) throw invalidVariables(result.error.issues, given);
  const env = result.data;
  // With keys, a proxy on this machine may make the service public.
  const isPublic = isLoopback(env.HOST) && allowsAnonymous(env);
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    /** Null: without Fashion-MNIST. */
    dataDir: env.DATASETS === 'none' ? null : resolve(env.DATA_DIR),
    stateDir: resolve(env.STATE_DIR),
    /** Whether the service starts only if `stateDir` is on a volume. */
    requireVolume: env.REQUIRE_VOLUME === 'true',
    trainingWorkers: env.TRAINING_WORKERS,
    queueLimit: env.QUEUE_LIMIT,
    maxBodyBytes: env.MAX_BODY_BYTES,
    maxImagePixels: env.MAX_IMAGE_PIXELS,
    maxDatasetBytes: env.MAX_DATASET_BYTES,
    corsOrigins: Object.freeze(env.CORS_ORIGINS),
    webhookOrigins: Object.freeze(env.WEBHOOK_ORIGINS),
    /** Addresses and networks that webhooks may reach although they are not public. */
    webhookPrivateRanges: Object.freeze(env.WEBHOOK_PRIVATE_RANGES),
    /** Hosts without port that clients without keys may use; null: all. */
    allowedHosts: hostsWithoutKeys(env.HOST, env.ALLOWED_HOSTS),
    /** Addresses and networks of trusted proxies, or their number; null: none. */
    trustProxy: parseTrustProxy(env.TRUST_PROXY),
    /** Without a slash at its end; empty without BASE_PATH. */
    basePath: env.BASE_PATH,
    keys: Object.freeze(env.API_KEYS),
    apiKeysFile: env.API_KEYS_FILE === undefined ? null : resolve(env.API_KEYS_FILE),
    requiresKey: !allowsAnonymous(env),
    /** Whether ALLOW_ANONYMOUS permits access without a key from other machines and through proxies. */
    allowAnonymous: env.ALLOW_ANONYMOUS === 'true',
    /** Whether the service is reachable from outside and no keys are configured. */
    needsBootstrapKey: !allowsAnonymous(env) && !configuresKeys(env),
    publicMetrics: env.PUBLIC_METRICS === undefined ? isPublic : env.PUBLIC_METRICS === 'true',
    publicDocs: env.PUBLIC_DOCS === undefined ? isPublic : env.PUBLIC_DOCS === 'true',
    /** Whether `/` serves the page. */
    publicPage: env.PUBLIC_PAGE === 'true',
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE ?? null,
    maxEventLoopDelayMs: env.MAX_EVENT_LOOP_DELAY_MS,
    starterJob: env.STARTER_JOB === 'on' && env.DATASETS !== 'none',
    calibratePublished: env.CALIBRATE_PUBLISHED === 'on',
    wideVectors: env.WIDE_VECTORS,
    tuningOff: Object.freeze(env.TUNING_OFF),
    logLevel: env.LOG_LEVEL,
    shutdownGraceSeconds: env.SHUTDOWN_GRACE_SECONDS,
    /** Fraction of the requests with a status below 400 that are logged, 0–1; null: no request is logged. */
    accessLog: readAccessLog(env.ACCESS_LOG),
    /** Days after which events of ended jobs are deleted; null: never. */
    keepEventsDays: env.KEEP_EVENTS_DAYS ?? null,
    /** Days after which checkpoints of ended jobs are deleted; null: never. */
    keepCheckpointsDays: env.KEEP_CHECKPOINTS_DAYS ?? null,
    /** Days after which ended jobs are deleted; null: never. */
    keepJobsDays: env.KEEP_JOBS_DAYS ?? null,
    keepCheckpoints: env.KEEP_CHECKPOINTS,
    /** Null: one process, whose state is in `stateDir`. */
    database: readDatabase(env),
    role: env.ROLE,
    /** Whether several processes listen on one port. */
    reusePort: env.REUSE_PORT === 'on',
    /** Messages to log at start, about unknown variables that may be mistyped. */
    warnings: Object.freeze(
      describeUnknownVariables(Object.keys(given), Object.keys(environmentSchema.shape)),
    ),
  });
}

/** The configuration with this DATABASE_URL. @throws AtelierError as `readConfig` */
export function readConfigWithDatabase(url: string): Config {
  return readConfig({ ...process.env, DATABASE_URL: url });
}

/** The first message of each variable. */
function invalidVariables(issues: readonly z.core.$ZodIssue[], given: NodeJS.ProcessEnv): AtelierError {
  const messages = new Map<string, string>();
  for (const { path, message } of issues) {
    const name = path.join('.');
    const value = SECRETS.includes(name) || !message.startsWith('must') ? '' : `, but is "${given[name]}"`;
    if (!messages.has(name)) messages.set(name, `${name} ${message}${value}.`);
  }
  return new AtelierError(
    'invalid-configuration',
    `Invalid environment variables: ${[...messages.values()].join(' ')}`,
  );
}

/** The fraction of `all`, `errors`, `off` and `sample:0.01`. */
function readAccessLog(value: string): number | null {
  if (value === 'off') return null;
  if (value === 'errors') return 0;
  return value === 'all' ? 1 : Number(value.slice('sample:'.length));
}

function readDatabase(env: Environment) {
  if (env.DATABASE_URL === undefined) return null;
  return Object.freeze({
    url: env.DATABASE_URL,
    /** Without a pooler in between: for sessions that listen, and for migrations. */
    directUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
    poolSize: env.POOL_SIZE ?? DEFAULT_POOL_SIZE,
    /** `s3://bucket/prefix?endpoint=…&region=…`; null: parameters, checkpoints and data sets are stored in the database. */
    blobUrl: env.BLOB_URL ?? null,
    /** For `blobUrl`. */
    blobCredentials: env.BLOB_URL === undefined ? null : readBlobCredentials(env),
  });
}

const readBlobCredentials = (env: Environment) =>
  Object.freeze({
    // rejectContradictions requires both.
    accessKeyId: env.AWS_ACCESS_KEY_ID!,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY!,
    sessionToken: env.AWS_SESSION_TOKEN ?? null,
    /** Unless the URL names one. */
    region: env.AWS_REGION,
  });
