/** A running service that receives the mutated requests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { readConfig } from '../../src/config/read.ts';
import { AtelierError } from '../../src/errors.ts';
import { openService } from '../../src/process/start.ts';
import type { Parser } from './input.ts';
import type { Random } from './mutations.ts';

const DATA_DIR = join(import.meta.dirname, '../../data');
/** The model that protocols without model names serve. */
export const MODEL = 'fashion-mnist';

/** A barely trained model. */
const JOB = {
  dataset: 'fashion-mnist',
  modelName: MODEL,
  network: { hidden: [2] },
  training: { epochs: 1, batchSize: 1024 },
};

async function startService() {
  const stateDir = await mkdtemp(join(tmpdir(), 'atelier-fuzz-'));
  const environment = {
    DATA_DIR,
    STATE_DIR: stateDir,
    STARTER_JOB: 'off',
    MAX_EVENT_LOOP_DELAY_MS: '60000',
  };
  const { app, start, close } = await openService(readConfig(environment), pino({ level: 'silent' }));
  await start();
  const { headers } = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload: JOB });
  while ((await app.inject(`${headers.location}`)).json().finishedAt === null) await setTimeout(20);
  const stop = async () => {
    await close();
    await rm(stateDir, { recursive: true, force: true });
  };
  return { app, stateDir, stop };
}

type Service = Awaited<ReturnType<typeof startService>>;

/** One service per process. */
let service: Promise<Service> | undefined;
let users = 0;

/** A 2xx response is a value, a 4xx response a rejection. */
export function answered(
  files: readonly Uint8Array[],
  send: (service: Service, bytes: Uint8Array, random: Random) => Promise<LightMyRequestResponse>,
): Parser {
  return {
    files,
    async open() {
      users++;
      service ??= startService();
      await service;
    },
    async parse(bytes, random) {
      const { statusCode, body } = await send(await service!, bytes, random);
      if (statusCode >= 200 && statusCode < 300) return body;
      if (statusCode < 400 || statusCode >= 500) throw new Error(`The response is ${statusCode}: ${body}`);
      throw new AtelierError('malformed-request', body);
    },
    async close() {
      if (--users > 0) return;
      await (await service!).stop();
      service = undefined;
    },
  };
}
