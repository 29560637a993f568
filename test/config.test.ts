import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../src/config.ts';
import { AtelierError } from '../src/errors.ts';

test('an empty environment gives the defaults', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 3000,
    dataDir: resolve('data'),
    stateDir: resolve('state'),
    trainingWorkers: Math.max(1, availableParallelism() - 1),
    queueLimit: 100,
    maxBodyBytes: 64 * 2 ** 20,
    corsOrigins: [],
    starterJob: true,
    logLevel: 'info',
    shutdownGraceSeconds: 20,
  });
});

test('every variable is read', () => {
  const config = readConfig({
    HOST: '0.0.0.0',
    PORT: '0',
    DATA_DIR: '/srv/data',
    STATE_DIR: '/srv/state',
    TRAINING_WORKERS: '3',
    QUEUE_LIMIT: '7',
    MAX_BODY_BYTES: '4096',
    CORS_ORIGINS: ' https://lab.example,http://localhost:5173, ',
    STARTER_JOB: 'off',
    LOG_LEVEL: 'debug',
    SHUTDOWN_GRACE_SECONDS: '5',
  });
  assert.deepEqual(config, {
    host: '0.0.0.0',
    port: 0,
    dataDir: '/srv/data',
    stateDir: '/srv/state',
    trainingWorkers: 3,
    queueLimit: 7,
    maxBodyBytes: 4096,
    corsOrigins: ['https://lab.example', 'http://localhost:5173'],
    starterJob: false,
    logLevel: 'debug',
    shutdownGraceSeconds: 5,
  });
  assert.ok(Object.isFrozen(config));
});

test('an empty variable means the default, as an unset one does', () => {
  assert.equal(readConfig({ PORT: '', STARTER_JOB: '' }).port, 3000);
});

test('a variable that does not fit is named together with its value', () => {
  const wrong = {
    PORT: '65536',
    TRAINING_WORKERS: '0',
    QUEUE_LIMIT: 'many',
    MAX_BODY_BYTES: '1.5',
    CORS_ORIGINS: 'https://lab.example/',
    STARTER_JOB: 'yes',
    LOG_LEVEL: 'loud',
    SHUTDOWN_GRACE_SECONDS: '-1',
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => readConfig({ [name]: value }), refusal(`${name}=${value}: `), name);
  }
  assert.throws(() => readConfig(wrong), refusal(...Object.keys(wrong)), 'all of them at once');
});

test('DATABASE_URL is refused, and the message says where the state is kept', () => {
  const environment = { DATABASE_URL: 'postgres://localhost/atelier' };
  assert.throws(() => readConfig(environment), refusal('DATABASE_URL', 'not supported yet', 'STATE_DIR'));
});

test('the password in DATABASE_URL is not repeated', () => {
  const environment = { DATABASE_URL: 'postgres://atelier:hunter2@localhost/atelier' };
  assert.throws(
    () => readConfig(environment),
    (error: Error) => !error.message.includes('hunter2'),
  );
});

function refusal(...words: string[]): (error: unknown) => boolean {
  return (error) =>
    error instanceof AtelierError &&
    error.code === 'invalid-configuration' &&
    words.every((word) => error.message.includes(word));
}
