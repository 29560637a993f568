/** The checkpoint from which an interrupted job continues. */
import type { TrainingJob } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { SerializedError } from '../workers/messages.ts';

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
 * @throws AtelierError `state-unusable` if a file could not be read, but may still be intact
 */
export async function resumeTraining(
  { id }: TrainingJob,
  { checkpoints }: Pick<Store, 'checkpoints'>,
): Promise<Resumption | null> {
  const newestFirst = (await checkpoints.list(id)).reverse();
  for (const [n, checkpoint] of newestFirst.entries()) {
    const { step } = checkpoint;
    const before = newestFirst[n + 1];
    const instead = before ? `from the checkpoint of step ${before.step}` : 'from the beginning';
    const discard: Resumption['discard'] = ({ message }) =>
      checkpoints.discard(id, step, {
        code: 'checkpoint-damaged',
        message: `The checkpoint of step ${step} cannot be used, so the job continues ${instead}: ${firstSentence(message)}. No action is needed.`,
      });
    try {
      return { step, bytes: await checkpoints.read(checkpoint), discard };
    } catch (error) {
      if (!(error instanceof AtelierError) || isTransient(error.cause)) throw error;
      await discard(error);
    }
  }
  return null;
}

/** Drops the advice after the first sentence, because the job recovers by itself. */
function firstSentence(message: string): string {
  return message.split('. ', 1)[0]!;
}

/** Errors after which the file may still be intact. */
function isTransient(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && TRANSIENT_CODES.includes(String(cause.code));
}
