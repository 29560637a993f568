/** Start: configuration, composition, listening, and closing on signals. */
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import { compose } from './compose.ts';
import { type Config, readConfig } from './config.ts';
import { AtelierError } from './errors.ts';

async function start(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const composing = compose(config, log);
  let stopping = false;
  // Before the first wait: in a container nobody else would end a process that is told to stop while it starts.
  closeWithGrace({ delay: config.shutdownGraceSeconds * 1000, logger: log }, async ({ signal, err }) => {
    stopping = true;
    if (err) log.fatal({ err }, 'stopping because of a defect');
    else log.info({ signal }, 'stopping');
    await (await composing).close();
    log.info('stopped');
  });
  const atelier = await composing;
  if (stopping) return;
  const address = await atelier.app.listen({ host: config.host, port: config.port });
  const base = address.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//localhost');
  log.info(`Atelier serves ${address}, documentation at ${base}/docs. Try: curl -s ${base}/v1/training-jobs`);
}

/** Pretty on a terminal; else JSON, in pieces: a system call a line would halve the rate of predictions. */
function createLog(level: Config['logLevel']): Logger {
  if (process.stdout.isTTY) {
    return pino({ level, transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } });
  }
  return pino({ level }, pino.destination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 200 }));
}

try {
  await start();
} catch (error) {
  // What a person can mend is told in a sentence, a defect with its stack.
  const mendable = error instanceof AtelierError || (error instanceof Error && 'syscall' in error);
  console.error(mendable ? `Atelier does not start: ${error.message}` : error);
  process.exit(1);
}
