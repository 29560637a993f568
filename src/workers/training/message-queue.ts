/** Handles the messages of a training thread in order, while later ones wait. */
import type { WorkerMessage } from './messages.ts';

/**
 * While the storage does not accept writes, the thread goes on training and messages accumulate. They are bounded: a
 * waiting progress report is replaced by the next one, a checkpoint is only posted when the one before is stored, and
 * epochs are at most 10,000, of about a kilobyte.
 */
export function createMessageQueue(
  onMessage: (message: WorkerMessage) => Promise<void>,
  onFailure: () => void,
) {
  const waiting: WorkerMessage[] = [];
  let handled = Promise.resolve();
  return {
    add(message: WorkerMessage): void {
      if (message.kind === 'progress' && waiting.at(-1)?.kind === 'progress') waiting.pop();
      else {
        handled = handled.then(() => onMessage(waiting.shift()!));
        handled.catch(onFailure);
      }
      waiting.push(message);
    },
    /** Fulfils when every message so far has been handled. Rejects if handling one fails; later ones are dropped. */
    handled: () => handled,
  };
}
