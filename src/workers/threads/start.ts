/** A worker thread as the main thread sees it: it runs one call at a time. A lost thread fails its call. */
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { AtelierError, messageWithoutPaths } from '../../errors.ts';
import { deserializeError, type SerializedError } from './errors.ts';
import { transferableBuffers } from './transfer.ts';

/** Functions that a thread serves, by name. Each takes a task, and returns its result or a promise of it. */
export type Tasks = Readonly<Record<string, (task: never) => unknown>>;
export type Task<T extends Tasks, Name extends keyof T> = Parameters<T[Name]>[0];
export type Result<T extends Tasks, Name extends keyof T> = Awaited<ReturnType<T[Name]>>;

/** A message to a thread. */
export interface Call {
  readonly name: string;
  readonly task: unknown;
}

/** A message from a thread: any number of reports about a task, then its result or its error. */
export type Reply =
  | { readonly kind: 'report'; readonly report: unknown }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly error: SerializedError };

export interface CallOptions {
  /** An abort terminates the thread, and rejects the call at once. */
  readonly signal?: AbortSignal | undefined;
  /** Views whose memory is moved to the thread instead of copied. */
  readonly transfer?: readonly ArrayBufferView[] | undefined;
  readonly onReport?: (report: never) => void;
}

export interface Thread<T extends Tasks> {
  /** @throws AtelierError the error of the task; `worker-crashed` if the thread is lost; the reason of the signal */
  call<Name extends keyof T & string>(
    name: Name,
    task: Task<T, Name>,
    options?: CallOptions,
  ): Promise<Result<T, Name>>;
  /** Whether the thread has neither crashed nor been terminated. */
  isUsable(): boolean;
  /**
   * Ends the thread at once. Fulfils when it has exited.
   * @param reason sentence for the error of the call
   */
  terminate(reason?: string): Promise<void>;
  /** Fulfils with the reason when the thread has exited. */
  readonly exited: Promise<string>;
}

interface PendingCall {
  readonly resolve: (result: never) => void;
  readonly reject: (error: AtelierError) => void;
  readonly onReport: (report: never) => void;
}

/**
 * @param entry the module that the thread runs; it calls `serve`
 * @param what the subject of sentences about the end of the thread
 */
export function startThread<T extends Tasks>(
  entry: URL,
  what: string,
  options: WorkerOptions = {},
): Thread<T> {
  const worker = new Worker(entry, options);
  // Only a call keeps the process alive, not a thread that waits for one.
  worker.unref();
  const exited = Promise.withResolvers<string>();
  let loss: { readonly reason: string; readonly cause?: unknown } | undefined;
  let pending: PendingCall | undefined;

  worker.on('message', (reply: Reply) => {
    if (reply.kind === 'report') pending?.onReport(reply.report as never);
    else if (reply.kind === 'result') pending?.resolve(reply.result as never);
    else pending?.reject(deserializeError(reply.error));
  });
  worker.on('error', (cause) => {
    loss ??= { reason: `${what} crashed: ${messageWithoutPaths(cause).replace(/\.$/, '')}.`, cause };
  });
  worker.on('exit', (code) => {
    loss ??= { reason: `${what} exited with code ${code}.` };
    pending?.reject(new AtelierError('worker-crashed', loss.reason, { cause: loss.cause }));
    exited.resolve(loss.reason);
  });

  async function terminate(reason = `${what} was terminated.`): Promise<void> {
    loss ??= { reason };
    worker.ref();
    await worker.terminate();
  }

  return {
    async call(name, task, { signal, transfer = [], onReport = () => {} } = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      const abort = () => {
        void terminate();
        reject(signal!.reason);
      };
      pending = { resolve, reject, onReport };
      signal?.addEventListener('abort', abort);
      worker.ref();
      try {
        worker.postMessage({ name, task } satisfies Call, transferableBuffers(transfer));
        return await promise;
      } finally {
        signal?.removeEventListener('abort', abort);
        worker.unref();
        pending = undefined;
      }
    },
    isUsable: () => loss === undefined,
    terminate,
    exited: exited.promise,
  };
}
