/** Startup: reads the configuration, composes and starts the service, and listens. */
import type { Atelier } from './compose.ts';
import { type Config, readConfig } from './config.ts';
import { AtelierError } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { type OnSignal, registerShutdown } from './stop.ts';
import { widenVectors } from './workers/wide-vectors.ts';

/** Imports the application only now, because V8 reads its flags when the import compiles the kernel. */
async function importAndStart(config: Config, log: Log['log']): Promise<Atelier> {
  const { compose } = await import('./compose.ts');
  const atelier = await compose(config, log);
  await atelier.start();
  return atelier;
}

const reloadKeys = (atelier: Atelier) => atelier.reloadKeys();

async function serve(config: Config, { log, flush }: Log, onSignal: OnSignal): Promise<void> {
  if (config.wideVectors) {
    widenVectors();
    log.info('WIDE_VECTORS=on: the kernel computes with vectors of 256 bits');
  }
  const starting = importAndStart(config, log);
  let stopping = false;
  // Installed before the first await, so that a signal during startup ends the process, even as PID 1 of a container.
  registerShutdown({
    onSignal,
    graceSeconds: config.shutdownGraceSeconds,
    log: { log, flush },
    onHangup: config.apiKeysFile === null ? null : () => void starting.then(reloadKeys).catch(() => {}),
    async close() {
      stopping = true;
      await (await starting).close();
    },
  });
  const { app } = await starting;
  if (stopping) return;
  const { host, port } = config;
  const address = await app.listen({ host, port }).catch((cause) => {
    const message = `Cannot listen on HOST=${host} PORT=${port} (${cause.code}). ${
      cause.code === 'EADDRINUSE'
        ? 'Another process uses the port; set PORT to another one.'
        : 'Check HOST and PORT.'
    }`;
    throw new AtelierError('invalid-configuration', message, { cause });
  });
  const served = address + config.basePath;
  const base = served.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//localhost');
  const docs = `documentation at ${base}/docs${config.requiresKey && !config.publicDocs ? ', with a key' : ''}`;
  const header = config.requiresKey ? " -H 'authorization: Bearer <key>'" : '';
  log.info(`Atelier serves ${served}, ${docs}. Try: curl -s ${base}/v1/training-jobs${header}`);
}

/** Runs the service. If it cannot start, prints the reason and exits with code 1. */
export async function start(onSignal: OnSignal): Promise<void> {
  let log: Log | undefined;
  // Files in the state directory are readable by this user only.
  process.umask(0o077);
  try {
    const config = readConfig();
    log = createLog(config.logLevel);
    for (const warning of config.warnings) log.log.warn(warning);
    await serve(config, log, onSignal);
  } catch (error) {
    // An error that the operator can fix is printed as a sentence, a defect with its stack.
    const fixable = error instanceof AtelierError || (error instanceof Error && 'syscall' in error);
    console.error(fixable ? `Atelier does not start: ${error.message}` : error);
    await log?.flush();
    process.exit(1);
  }
}
