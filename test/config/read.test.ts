import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config/read.ts';
import { AtelierError } from '../../src/errors.ts';

test('an empty environment gives the defaults', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    dataDir: resolve('data'),
    stateDir: resolve('state'),
    requireVolume: false,
    trainingWorkers: Math.max(1, availableParallelism() - 1),
    queueLimit: 100,
    maxBodyBytes: 64 * 2 ** 20,
    maxImagePixels: 4096 ** 2,
    maxDatasetBytes: 2 ** 30,
    corsOrigins: [],
    webhookOrigins: [],
    webhookPrivateRanges: [],
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    trustProxy: null,
    basePath: '',
    keys: [],
    apiKeysFile: null,
    requiresKey: false,
    allowAnonymous: false,
    needsBootstrapKey: false,
    publicMetrics: true,
    publicDocs: true,
    publicPage: true,
    rateLimitPerMinute: null,
    maxEventLoopDelayMs: 50,
    starterJob: true,
    calibratePublished: true,
    wideVectors: 'auto',
    tuningOff: [],
    logLevel: 'info',
    shutdownGraceSeconds: 20,
    accessLog: 1,
    keepEventsDays: null,
    keepCheckpointsDays: null,
    keepJobsDays: null,
    keepCheckpoints: 'best',
    database: null,
    role: 'all',
    reusePort: false,
    warnings: [],
  });
});

test('reads every variable', () => {
  const config = readConfig({
    HOST: '0.0.0.0',
    PORT: '8080',
    DATA_DIR: '/srv/data',
    STATE_DIR: '/srv/state',
    REQUIRE_VOLUME: 'true',
    TRAINING_WORKERS: '3',
    QUEUE_LIMIT: '7',
    MAX_BODY_BYTES: '4096',
    MAX_IMAGE_PIXELS: '50000000',
    MAX_DATASET_BYTES: '8192',
    CORS_ORIGINS: ' https://lab.example,http://localhost:5173, ',
    WEBHOOK_ORIGINS: 'https://hooks.example, http://10.0.0.5:8080',
    WEBHOOK_PRIVATE_RANGES: '10.0.0.0/8,fd00::/8, 192.168.1.7',
    ALLOWED_HOSTS: 'Atelier.example, 192.0.2.7, fd00:0::7',
    TRUST_PROXY: '127.0.0.1, fd00::/8',
    API_KEYS: `ci:predict+train:${'0f'.repeat(32)}`,
    API_KEYS_FILE: '/etc/atelier/keys',
    BASE_PATH: '/lab/atelier',
    PUBLIC_METRICS: 'true',
    PUBLIC_DOCS: 'false',
    PUBLIC_PAGE: 'false',
    RATE_LIMIT_PER_MINUTE: '600',
    MAX_EVENT_LOOP_DELAY_MS: '70',
    STARTER_JOB: 'off',
    CALIBRATE_PUBLISHED: 'off',
    WIDE_VECTORS: 'on',
    TUNING_OFF: 'time-slice, access-line',
    LOG_LEVEL: 'debug',
    SHUTDOWN_GRACE_SECONDS: '5',
    ACCESS_LOG: 'errors',
    KEEP_EVENTS_DAYS: '30',
    KEEP_CHECKPOINTS_DAYS: '7',
    KEEP_JOBS_DAYS: '90',
    KEEP_CHECKPOINTS: 'none',
    DATABASE_URL: 'postgres://atelier:secret@pooler/atelier',
    DATABASE_DIRECT_URL: 'postgresql://atelier:secret@database/atelier',
    POOL_SIZE: '8',
    ROLE: 'api',
    REUSE_PORT: 'on',
    BLOB_URL: 's3://bucket/prefix?endpoint=https://s3.example',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
    AWS_REGION: 'eu-west-1',
  });
  assert.deepEqual(config, {
    host: '0.0.0.0',
    port: 8080,
    dataDir: '/srv/data',
    stateDir: '/srv/state',
    requireVolume: true,
    trainingWorkers: 3,
    queueLimit: 7,
    maxBodyBytes: 4096,
    maxImagePixels: 50_000_000,
    maxDatasetBytes: 8192,
    corsOrigins: ['https://lab.example', 'http://localhost:5173'],
    webhookOrigins: ['https://hooks.example', 'http://10.0.0.5:8080'],
    webhookPrivateRanges: ['10.0.0.0/8', 'fd00::/8', '192.168.1.7'],
    allowedHosts: ['localhost', '127.0.0.1', '[::1]', '0.0.0.0', 'atelier.example', '192.0.2.7', '[fd00::7]'],
    trustProxy: ['127.0.0.1', 'fd00::/8'],
    allowAnonymous: false,
    keys: [{ name: 'ci', scopes: ['predict', 'train'], digest: Buffer.alloc(32, 0x0f) }],
    apiKeysFile: '/etc/atelier/keys',
    basePath: '/lab/atelier',
    requiresKey: true,
    needsBootstrapKey: false,
    publicMetrics: true,
    publicDocs: false,
    publicPage: false,
    rateLimitPerMinute: 600,
    maxEventLoopDelayMs: 70,
    starterJob: false,
    calibratePublished: false,
    wideVectors: 'on',
    tuningOff: ['time-slice', 'access-line'],
    logLevel: 'debug',
    shutdownGraceSeconds: 5,
    accessLog: 0,
    keepEventsDays: 30,
    keepCheckpointsDays: 7,
    keepJobsDays: 90,
    keepCheckpoints: 'none',
    database: {
      url: 'postgres://atelier:secret@pooler/atelier',
      directUrl: 'postgresql://atelier:secret@database/atelier',
      poolSize: 8,
      blobUrl: 's3://bucket/prefix?endpoint=https://s3.example',
      blobCredentials: {
        accessKeyId: 'id',
        secretAccessKey: 'secret',
        sessionToken: 'token',
        region: 'eu-west-1',
      },
    },
    role: 'api',
    reusePort: true,
    warnings: [],
  });
  assert.ok(Object.isFrozen(config));
});

test('an empty variable means the default, like an unset one', () => {
  assert.equal(readConfig({ PORT: '', STARTER_JOB: '' }).port, 3000);
});

test('ACCESS_LOG is a fraction of the successful requests', () => {
  const fractions = { all: 1, 'sample:0.25': 0.25, 'sample:.01': 0.01, errors: 0, off: null };
  for (const [ACCESS_LOG, fraction] of Object.entries(fractions)) {
    assert.equal(readConfig({ ACCESS_LOG }).accessLog, fraction, ACCESS_LOG);
  }
});

test('reports an invalid variable with its value', () => {
  const wrong = {
    PORT: '65536',
    TRAINING_WORKERS: '0',
    QUEUE_LIMIT: 'many',
    MAX_BODY_BYTES: '1.5',
    MAX_IMAGE_PIXELS: '783',
    MAX_DATASET_BYTES: '4294967296',
    CORS_ORIGINS: 'https://lab.example/',
    WEBHOOK_ORIGINS: 'hooks.example',
    WEBHOOK_PRIVATE_RANGES: '10.0.0.0/33',
    ALLOWED_HOSTS: 'https://lab.example',
    TRUST_PROXY: 'nginx',
    ALLOW_ANONYMOUS: 'yes',
    PUBLIC_METRICS: 'no',
    PUBLIC_DOCS: '1',
    RATE_LIMIT_PER_MINUTE: '0',
    STARTER_JOB: 'yes',
    LOG_LEVEL: 'loud',
    SHUTDOWN_GRACE_SECONDS: '-1',
    ACCESS_LOG: 'sample:1.5',
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(
      () => readConfig({ [name]: value }),
      refusal(`${name} must be `, `, but is "${value}".`),
      name,
    );
  }
  assert.throws(() => readConfig(wrong), refusal(...Object.keys(wrong)), 'all of them at once');
});

const DATABASE_URL = 'postgresql://atelier:secret@localhost/atelier';

test('DATABASE_URL alone gives one pool and blobs in the database', () => {
  const { database } = readConfig({ DATABASE_URL, AWS_ACCESS_KEY_ID: 'of another program' });
  assert.deepEqual(database, {
    url: DATABASE_URL,
    directUrl: DATABASE_URL,
    poolSize: 4,
    blobUrl: null,
    blobCredentials: null,
  });
});

test('settings of replicas need DATABASE_URL, except for values that change nothing', () => {
  const settings = {
    DATABASE_DIRECT_URL: DATABASE_URL,
    POOL_SIZE: '4',
    ROLE: 'worker',
    REUSE_PORT: 'on',
    BLOB_URL: 's3://bucket',
  };
  for (const [name, value] of Object.entries(settings)) {
    assert.throws(
      () => readConfig({ [name]: value }),
      refusal(`${name} needs a database`, 'Set DATABASE_URL'),
    );
  }
  assert.equal(readConfig({ ROLE: 'all', REUSE_PORT: 'off' }).database, null);
});

test('REUSE_PORT needs a fixed PORT', () => {
  const settings = { DATABASE_URL, REUSE_PORT: 'on', PORT: '0' };
  assert.throws(() => readConfig(settings), refusal('REUSE_PORT contradicts PORT=0'));
});

test('BLOB_URL needs a bucket, an endpoint over HTTP if any, and credentials', () => {
  const credentials = { DATABASE_URL, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  const read = (BLOB_URL: string) => readConfig({ ...credentials, BLOB_URL });
  assert.equal(read('s3://bucket?endpoint=http://127.0.0.1:9000').database?.blobUrl?.length, 42);
  for (const url of ['s3://', 'https://bucket', 's3://bucket?endpoint=s3.example', 'bucket']) {
    assert.throws(() => read(url), refusal('BLOB_URL must be a URL such as s3://bucket/prefix'), url);
  }
  assert.throws(
    () => readConfig({ DATABASE_URL, BLOB_URL: 's3://bucket' }),
    refusal('BLOB_URL needs credentials', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'),
  );
});

test('rejects other databases, and does not repeat passwords', () => {
  const urls = ['mysql://u:hunter2@localhost/atelier', 'hunter2', 'postgres://u:hunter2@local host/atelier'];
  for (const url of urls) {
    for (const name of ['DATABASE_URL', 'DATABASE_DIRECT_URL']) {
      const isClear = refusal(`${name} must be a URL such as postgresql://user:password@host:5432/atelier.`);
      assert.throws(
        () => readConfig({ DATABASE_URL, [name]: url }),
        (error: Error) => isClear(error) && !error.message.includes('hunter2'),
      );
    }
  }
});

test('reports the defect of API_KEYS without repeating it', () => {
  const wrong = { API_KEYS: 'hunter2:admin' };
  assert.throws(
    () => readConfig(wrong),
    (error: Error) =>
      refusal('API_KEYS ', 'name:scope+scope:sha256-of-key')(error) && !error.message.includes('hunter2'),
  );
});

test('requires a bootstrap key only if the service is reachable from other machines', () => {
  for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST']) {
    const { needsBootstrapKey, publicDocs, publicMetrics } = readConfig({ HOST });
    assert.deepEqual([needsBootstrapKey, publicDocs, publicMetrics], [false, true, true], HOST);
  }
  for (const HOST of ['0.0.0.0', '::', '192.0.2.1', '128.0.0.1', '::ffff:10.0.0.1', 'localhost.example']) {
    const { needsBootstrapKey, publicDocs, publicMetrics } = readConfig({ HOST });
    assert.deepEqual([needsBootstrapKey, publicDocs, publicMetrics], [true, false, false], HOST);
  }
  for (const access of [{ ALLOW_ANONYMOUS: 'true' }, { API_KEYS_FILE: 'keys' }]) {
    assert.equal(readConfig({ HOST: '0.0.0.0', ...access }).needsBootstrapKey, false);
  }
});

test('without keys accepts hosts of this machine and ALLOWED_HOSTS, or all if the operator opened the service', () => {
  const local = ['localhost', '127.0.0.1', '[::1]'];
  assert.deepEqual(readConfig({ HOST: '127.1.2.3' }).allowedHosts, [...local, '127.1.2.3']);
  assert.deepEqual(readConfig({ HOST: '0:0::1' }).allowedHosts, local);
  assert.deepEqual(readConfig({ ALLOWED_HOSTS: 'lab.example' }).allowedHosts, [...local, 'lab.example']);
  assert.equal(readConfig({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }).allowedHosts, null);
  assert.deepEqual(readConfig({ ALLOW_ANONYMOUS: 'true' }).allowedHosts, local);
  for (const ALLOWED_HOSTS of [
    'lab.example:3000',
    '*',
    '*.lab.example',
    'a b',
    'lab.example/',
    '.lab',
    '[::1',
    '[lab]',
  ]) {
    assert.throws(() => readConfig({ ALLOWED_HOSTS }), refusal('ALLOWED_HOSTS must be a list of host names'));
  }
});

test('TRUST_PROXY is a list of addresses and networks, or a number of proxies', () => {
  assert.equal(readConfig({ TRUST_PROXY: '2' }).trustProxy, 2);
  assert.deepEqual(readConfig({ TRUST_PROXY: '::1,10.0.0.0/8' }).trustProxy, ['::1', '10.0.0.0/8']);
  for (const TRUST_PROXY of [
    '0',
    '33',
    '1, 2',
    '-1',
    'true',
    '10.0.0.0/0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
  ]) {
    assert.throws(
      () => readConfig({ TRUST_PROXY }),
      refusal('TRUST_PROXY must be a list of addresses'),
      TRUST_PROXY,
    );
  }
});

test('rejects contradictory settings', () => {
  const API_KEYS = `ci:predict:${'0f'.repeat(32)}`;
  assert.throws(
    () => readConfig({ API_KEYS, ALLOW_ANONYMOUS: 'true' }),
    refusal('ALLOW_ANONYMOUS contradicts API_KEYS'),
  );
  assert.throws(
    () => readConfig({ API_KEYS_FILE: 'keys', ALLOW_ANONYMOUS: 'true' }),
    refusal('ALLOW_ANONYMOUS contradicts', 'API_KEYS_FILE'),
  );
  const open = [{}, { HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }];
  for (const environment of open) {
    assert.throws(
      () => readConfig({ ...environment, PUBLIC_DOCS: 'false' }),
      refusal('PUBLIC_DOCS has no effect', 'Set API_KEYS'),
    );
    assert.throws(() => readConfig({ ...environment, PUBLIC_METRICS: 'false' }), refusal('PUBLIC_METRICS'));
  }
  for (const value of [undefined, 'false']) {
    const { publicDocs, publicMetrics } = readConfig({ API_KEYS, PUBLIC_DOCS: value, PUBLIC_METRICS: value });
    assert.deepEqual([publicDocs, publicMetrics], [false, false]);
  }
});

test('warns about unknown variables that resemble known ones, and about no others', () => {
  const { warnings } = readConfig({
    TRAINING_WORKER: '2',
    STATE_DI: './state',
    RATE_LIMT: '600',
    PUBLIC_METRIC: 'true',
    HOME: '/root',
    HOSTNAME: 'box',
    LOG_FORMAT: 'json',
    API_URL: 'https://lab.example',
    PATH: '/bin',
  });
  assert.deepEqual(warnings, [
    'Unknown environment variable TRAINING_WORKER. Did you mean TRAINING_WORKERS?',
    'Unknown environment variable STATE_DI. Did you mean STATE_DIR?',
    'Unknown environment variable RATE_LIMT. Did you mean RATE_LIMIT_PER_MINUTE?',
    'Unknown environment variable PUBLIC_METRIC. Did you mean PUBLIC_METRICS?',
  ]);
});

test('warns about variables with the prefix ATELIER_, except those that Kubernetes sets', () => {
  assert.deepEqual(readConfig({ ATELIER_STATE_DIR: '/x', ATELIER_PORT: '80', ATELIER_X: 'y' }).warnings, [
    'Unknown environment variable ATELIER_STATE_DIR. Did you mean STATE_DIR?',
    'Unknown environment variable ATELIER_PORT. Did you mean PORT?',
    'Unknown environment variable ATELIER_X. The variables of Atelier have no prefix.',
  ]);
  const links = {
    ATELIER_SERVICE_HOST: '10.0.0.7',
    ATELIER_SERVICE_PORT: '80',
    ATELIER_PORT: 'tcp://10.0.0.7:80',
    ATELIER_PORT_80_TCP_ADDR: '10.0.0.7',
  };
  assert.deepEqual(readConfig(links).warnings, []);
});

test('states the rule and the value of an invalid variable in a sentence', () => {
  assert.throws(
    () => readConfig({ PORT: 'abc' }),
    refusal('PORT must be an integer from 0 to 65535, but is "abc".'),
  );
});

function refusal(...words: string[]): (error: unknown) => boolean {
  return (error) =>
    error instanceof AtelierError &&
    error.code === 'invalid-configuration' &&
    words.every((word) => error.message.includes(word));
}
