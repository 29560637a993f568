/** Runs the service in this process: reads the configuration, binds the port, starts the service, and serves it. */

import { type Config, readConfig } from '../config/read.ts';
import { AtelierError } from '../errors.ts';
import { bindServer } from '../http/starting-server.ts';
import { checkStateVolume } from '../store/blobs/container-layer.ts';
import { chooseVectors } from '../tuning/choose-vectors.ts';
import { collectGarbageAtRest } from '../tuning/collect-garbage.ts';
import { tuneProcess } from '../tuning/process.ts';
import { announcement } from './announcement.ts';
import { describeFewFiles } from './file-limit.ts';
import { createLog, type Log } from './log.ts';
import type { Service } from './start.ts';
import { type OnSignal, registerShutdown } from './stop.ts';

async function run(config: Config, { log, writeLine, flush }: Log, onSignal: OnSignal): Promise<void> {
  // With a database, the directory holds only copies.
  if (config.database === null) {
    const warning = await checkStateVolume(config.stateDir, config.requireVolume);
    if (warning !== undefined) log.warn(warning);
  }
  // Before anything is written: a start that fails here leaves nothing behind.
  const { port, serverFactory, handOver } = await bindServer(config);
  let stopping = false;
  let service: Service | undefined;

  /** Returns the address, or undefined if the service was stopped during the start. */
  async function startAndListen(): Promise<string | undefined> {
    await chooseVectors(config, log);
    if (stopping) return;
    // Imported only now, because V8 reads its flags when the import compiles the kernel.
    const { openService } = await import('./start.ts');
    service = await openService({ ...config, port }, log, { serverFactory, writeLine });
    if (stopping) return;
    await service.start();
    if (stopping) return;
    return handOver();
  }

  const started = startAndListen();
  registerShutdown({
    onSignal,
    graceSeconds: config.shutdownGraceSeconds,
    log: { log, writeLine, flush },
    onHangup: config.apiKeysFile === null ? null : () => void service?.reloadKeys(),
    async close() {
      stopping = true;
      // Until the service is open, nothing needs to be closed: SQLite rolls back a migration that is interrupted.
      if (!service) return;
      await started;
      await service.close();
    },
  });
  const address = await started;
  if (address === undefined) return;
  log.info(announcement(address, config));
  // Not with the next batch of lines: scripts wait for the address.
  await flush();
  collectGarbageAtRest();
}

/** Runs the service. If it cannot start, prints the reason and exits with code 1. */
export async function serve(onSignal: OnSignal): Promise<void> {
  let log: Log | undefined;
  // Files in the state directory are readable by this user only.
  process.umask(0o077);
  try {
    const config = readConfig();
    tuneProcess(config);
    log = createLog(config.logLevel);
    const fewFiles = await describeFewFiles();
    for (const warning of [...config.warnings, ...(fewFiles ? [fewFiles] : [])]) log.log.warn(warning);
    await run(config, log, onSignal);
  } catch (error) {
    // An error that the operator can fix is printed as a sentence, a defect with its stack.
    const fixable = error instanceof AtelierError || (error instanceof Error && 'syscall' in error);
    console.error(fixable ? `Atelier does not start: ${error.message}` : error);
    await log?.flush();
    process.exit(1);
  }
}
