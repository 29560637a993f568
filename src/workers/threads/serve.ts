/** A worker thread as it sees itself: it runs the tasks that it is sent, and posts their results. */
import { parentPort } from 'node:worker_threads';
import { AtelierError } from '../../errors.ts';
import { collectLargeGarbage } from '../../tuning/collect-garbage.ts';
import { serializeError } from './errors.ts';
import type { Call, Reply, Result, Tasks } from './start.ts';
import { sharedBytes, transferableBuffers } from './transfer.ts';

function post(reply: Reply, transfer: readonly ArrayBufferView[]): void {
  parentPort!.postMessage(reply, transferableBuffers(transfer));
}

/** Posts a report about the task that is running. */
export function report(message: unknown, transfer: readonly ArrayBufferView[] = []): void {
  post({ kind: 'report', report: message }, transfer);
}

/**
 * Serves calls. An AtelierError is posted. Any other error is a defect and may have left anything behind, so it ends the
 * thread.
 * @param transfers the views of a result whose memory is moved instead of copied
 * @param collect called after each task, when nothing holds it any more, with the shared memory that it used
 */
export function serve<T extends Tasks>(
  tasks: T,
  transfers: { readonly [Name in keyof T]?: (result: Result<T, Name>) => readonly ArrayBufferView[] } = {},
  collect: (sharedBytes: number) => void = collectLargeGarbage,
): void {
  parentPort!.on('message', async ({ name, task }: Call) => {
    let bytes = sharedBytes(task);
    try {
      const result = (await tasks[name]!(task as never)) as Result<T, string>;
      bytes += sharedBytes(result);
      post({ kind: 'result', result }, transfers[name]?.(result) ?? []);
    } catch (error) {
      if (!(error instanceof AtelierError)) throw error;
      post({ kind: 'error', error: serializeError(error) }, []);
    }
    setImmediate(collect, bytes);
  });
}
