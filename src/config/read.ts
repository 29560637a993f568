/** Configuration: the validated environment. The only reader of `process.env` in `src/`. */
import { resolve } from 'node:path';
import type { ApiKey } from '../domain/api-key.ts';
import { AtelierError } from '../errors.ts';
import { allowsAnonymous, configuresKeys, rejectContradictions } from './contradictions.ts';
import { DEFAULT_POOL_SIZE, type Environment, environmentSchema, SECRETS } from './environment.ts';
import { hostsWithoutKeys, isLoopback, parseTrustProxy } from './network-settings.ts';
import { describeUnknownVariables } from './unknown-variables.ts';

/** The database that replicas share, and the bucket beside it. */
export type DatabaseConfig = Readonly<{
  url: string;
  /** Without a pooler in between: sessions that listen, and migrations. */
  directUrl: string;
  poolSize: number;
  /** `s3://bucket/prefix?endpoint=…&region=…`; null: parameters, checkpoints and data sets are stored in the database. */
  blobUrl: string | null;
  /** For `blobUrl`. */
  blobCredentials: Readonly<{
    accessKeyId: string;
    secretAccessKey: string;
    sessionToken: string | null;
    /** Unless the URL names one. */
    region: string;
  }> | null;
}>;

export type Config = Readonly<{
  host: string;
  port: number;
  /** Null: without Fashion-MNIST. */
  dataDir: string | null;
  stateDir: string;
  /** Whether the service starts only if `stateDir` is on a volume. */
  requireVolume: boolean;
  trainingWorkers: number;
  queueLimit: number;
  maxBodyBytes: number;
  maxImagePixels: number;
  maxDatasetBytes: number;
  corsOrigins: readonly string[];
  webhookOrigins: readonly string[];
  /** Addresses and networks that webhooks may reach although they are not public. */
  webhookPrivateRanges: readonly string[];
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
  /** Whether `/` serves the page. */
  publicPage: boolean;
  rateLimitPerMinute: number | null;
  maxEventLoopDelayMs: number;
  starterJob: boolean;
  wideVectors: Environment['WIDE_VECTORS'];
  logLevel: Environment['LOG_LEVEL'];
  shutdownGraceSeconds: number;
  /** Fraction of the requests with a status below 400 that are logged, 0–1; null: no request is logged. */
  accessLog: number | null;
  /** Days after which events of ended jobs are deleted; null: never. */
  keepEventsDays: number | null;
  /** Days after which checkpoints of ended jobs are deleted; null: never. */
  keepCheckpointsDays: number | null;
  /** Days after which ended jobs are deleted; null: never. */
  keepJobsDays: number | null;
  /** Checkpoints of succeeded jobs that are kept by default. */
  keepCheckpoints: Environment['KEEP_CHECKPOINTS'];
  /** Null: one process, whose state is in `stateDir`. */
  database: DatabaseConfig | null;
  role: Environment['ROLE'];
  /** Whether several processes listen on one port. */
  reusePort: boolean;
  /** Messages to log at start, about unknown variables that may be mistyped. */
  warnings: readonly string[];
}>;

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
    dataDir: env.DATASETS === 'none' ? null : resolve(env.DATA_DIR),
    stateDir: resolve(env.STATE_DIR),
    requireVolume: env.REQUIRE_VOLUME === 'true',
    trainingWorkers: env.TRAINING_WORKERS,
    queueLimit: env.QUEUE_LIMIT,
    maxBodyBytes: env.MAX_BODY_BYTES,
    maxImagePixels: env.MAX_IMAGE_PIXELS,
    maxDatasetBytes: env.MAX_DATASET_BYTES,
    corsOrigins: Object.freeze(env.CORS_ORIGINS),
    webhookOrigins: Object.freeze(env.WEBHOOK_ORIGINS),
    webhookPrivateRanges: Object.freeze(env.WEBHOOK_PRIVATE_RANGES),
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
    publicPage: env.PUBLIC_PAGE === 'true',
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE ?? null,
    maxEventLoopDelayMs: env.MAX_EVENT_LOOP_DELAY_MS,
    starterJob: env.STARTER_JOB === 'on' && env.DATASETS !== 'none',
    wideVectors: env.WIDE_VECTORS,
    logLevel: env.LOG_LEVEL,
    shutdownGraceSeconds: env.SHUTDOWN_GRACE_SECONDS,
    accessLog: readAccessLog(env.ACCESS_LOG),
    keepEventsDays: env.KEEP_EVENTS_DAYS ?? null,
    keepCheckpointsDays: env.KEEP_CHECKPOINTS_DAYS ?? null,
    keepJobsDays: env.KEEP_JOBS_DAYS ?? null,
    keepCheckpoints: env.KEEP_CHECKPOINTS,
    database: readDatabase(env),
    role: env.ROLE,
    reusePort: env.REUSE_PORT === 'on',
    warnings: Object.freeze(
      describeUnknownVariables(Object.keys(given), Object.keys(environmentSchema.shape)),
    ),
  });
}

/** The configuration with this DATABASE_URL. @throws AtelierError as `readConfig` */
export function readConfigWithDatabase(url: string): Config {
  return readConfig({ ...process.env, DATABASE_URL: url });
}

/** The fraction of `all`, `errors`, `off` and `sample:0.01`. */
function readAccessLog(value: string): Config['accessLog'] {
  if (value === 'off') return null;
  if (value === 'errors') return 0;
  return value === 'all' ? 1 : Number(value.slice('sample:'.length));
}

function readDatabase(env: Environment): DatabaseConfig | null {
  if (env.DATABASE_URL === undefined) return null;
  return Object.freeze({
    url: env.DATABASE_URL,
    directUrl: env.DATABASE_DIRECT_URL ?? env.DATABASE_URL,
    poolSize: env.POOL_SIZE ?? DEFAULT_POOL_SIZE,
    blobUrl: env.BLOB_URL ?? null,
    blobCredentials:
      env.BLOB_URL === undefined
        ? null
        : Object.freeze({
            // rejectContradictions requires both.
            accessKeyId: env.AWS_ACCESS_KEY_ID!,
            secretAccessKey: env.AWS_SECRET_ACCESS_KEY!,
            sessionToken: env.AWS_SESSION_TOKEN ?? null,
            region: env.AWS_REGION,
          }),
  });
}
