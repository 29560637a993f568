/** Start: configuration, composition, listening, and closing on signals. */
import type { Atelier } from './compose.ts';
import { type Config, readConfig } from './config.ts';
import { AtelierError } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { type OnSignal, shutdownGracefully } from './stop.ts';
import { widenVectors } from './workers/wide-vectors.ts';

/** Loads what it composes, and with it the kernel. */
async function importAndCompose(config: Config, log: Log['log']): Promise<Atelier> {
  const { compose } = await import('./compose.ts');
  return compose(config, log);
}

async function serve(config: Config, { log, flush }: Log, onSignal: OnSignal): Promise<void> {
  if (config.wideVectors) {
    widenVectors();
    log.info('WIDE_VECTORS=on: the kernel computes with vectors of 256 bits');
  }
  const composing = importAndCompose(config, log);
  let stopping = false;
  // Before the first wait: in a container nobody else would end a process that is told to stop while it starts.
  shutdownGracefully({
    onSignal,
    graceSeconds: config.shutdownGraceSeconds,
    log: { log, flush },
    async close() {
      stopping = true;
      await (await composing).close();
    },
  });
  const { app } = await composing;
  if (stopping) return;
  const { host, port } = config;
  const address = await app.listen({ host, port }).catch((cause) => {
    const message = `It cannot listen on HOST=${host} PORT=${port}: ${cause.message}`;
    throw new AtelierError('invalid-configuration', message, { cause });
  });
  const base = address.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//localhost');
  const needsKey = config.needsBootstrapKey || config.keys.length > 0;
  const docs = `documentation at ${base}/docs${needsKey && !config.publicDocs ? ', with a key' : ''}`;
  const header = needsKey ? " -H 'authorization: Bearer <key>'" : '';
  log.info(`Atelier serves ${address}, ${docs}. Try: curl -s ${base}/v1/training-jobs${header}`);
}

/** Runs the service, or says why not and ends the process. */
export async function start(onSignal: OnSignal): Promise<void> {
  let log: Log | undefined;
  // What is stored is for this user alone.
  process.umask(0o077);
  try {
    const config = readConfig();
    log = createLog(config.logLevel);
    for (const warning of config.warnings) log.log.warn(warning);
    await serve(config, log, onSignal);
  } catch (error) {
    // What a person can mend is told in a sentence, a defect with its stack.
    const mendable = error instanceof AtelierError || (error instanceof Error && 'syscall' in error);
    console.error(mendable ? `Atelier does not start: ${error.message}` : error);
    await log?.flush();
    process.exit(1);
  }
}
