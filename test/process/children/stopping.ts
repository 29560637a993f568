/** A process that waits for signals. Arguments: the grace period in seconds, how it closes, what SIGHUP does. */
import { setTimeout as wait } from 'node:timers/promises';
import { createLog } from '../../../src/process/log.ts';
import { installSignalHandlers, registerShutdown } from '../../../src/process/stop.ts';

const [graceSeconds, closing, hangup] = process.argv.slice(2);
const log = createLog('info');

registerShutdown({
  onSignal: installSignalHandlers(),
  graceSeconds: Number(graceSeconds),
  log,
  onHangup:
    hangup === undefined
      ? null
      : () => {
          if (hangup === 'fails') throw new Error('a defect');
          log.log.info({ url: '/v1/models?key=secret' }, hangup);
        },
  async close() {
    // Longer than a grace period of milliseconds.
    if (closing === 'in order') await wait(100);
    if (closing === 'fails') throw new Error('cannot close');
    if (closing === 'hangs') await new Promise(() => {});
    if (closing === 'blocks') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
// Signals that arrive within one turn.
process.on('message', (signals: NodeJS.Signals[]) => {
  for (const signal of signals) process.emit(signal);
});
process.send!('ready');
