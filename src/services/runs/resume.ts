/** The checkpoint from which an interrupted job continues. */
import { AtelierError, hasCode } from '../../errors.ts';
import type { Run, Store } from '../../store/persistent-state.ts';
import type { SerializedError } from '../../workers/threads/errors.ts';

export interface Resumption {
  readonly step: number;
  readonly bytes: Uint8Array;
  /** Call if the thread cannot continue from the checkpoint; the next run uses the one before it. */
  discard(reason: Pick<SerializedError, 'code' | 'message'>): Promise<void>;
}

const TRANSIENT_CODES = ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM'];

/**
 * Loads the last readable checkpoint, and discards unreadable ones.
 * @returns null if the job starts from the beginning
 * @throws AtelierError `state-unusable` if a file could not be read, but may still be intact; `storage-unavailable`;
 *   `lease-lost`
 */
export async function resumeTraining(
  { job, discardCheckpoint }: Pick<Run, 'job' | 'discardCheckpoint'>,
  { checkpoints }: Pick<Store, 'checkpoints'>,
): Promise<Resumption | null> {
  const newestFirst = (await checkpoints.list(job.id)).reverse();
  for (const [n, checkpoint] of newestFirst.entries()) {
    const { step } = checkpoint;
    const before = newestFirst[n + 1];
    const instead = before ? `from the checkpoint of step ${before.step}` : 'from the beginning';
    const discard: Resumption['discard'] = ({ message }) =>
      discardCheckpoint(step, {
        code: 'checkpoint-damaged',
        message: `The checkpoint of step ${step} cannot be used, so the job continues ${instead}: ${firstSentence(message)}. No action is needed.`,
      });
    try {
      return { step, bytes: await checkpoints.read(checkpoint), discard };
    } catch (error) {
      if (!(error instanceof AtelierError) || hasCode(error, 'storage-unavailable')) throw error;
      if (isTransient(error.cause)) throw error;
      await discard(error);
    }
  }
  return null;
}

/** Drops the advice after the first sentence, because the job recovers without help. */
function firstSentence(message: string): string {
  return message.split('. ', 1)[0]!;
}

/** Whether the file may still be intact after the error. */
function isTransient(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && TRANSIENT_CODES.includes(String(cause.code));
}
