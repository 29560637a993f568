/** Where a job that was interrupted goes on. */
import type { TrainingJob } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { SerializedError } from '../workers/messages.ts';

export interface Resumption {
  readonly step: number;
  readonly bytes: Uint8Array;
  /** Where the thread cannot go on from it: the next run takes the one before. */
  discard(reason: Pick<SerializedError, 'code' | 'message'>): Promise<void>;
}

/** The last checkpoint that can be read; null where the job begins from nothing. Those that cannot be are discarded. */
export async function resumeFrom(
  { id }: TrainingJob,
  { checkpoints }: Pick<Store, 'checkpoints'>,
): Promise<Resumption | null> {
  for (const checkpoint of (await checkpoints.list(id)).reverse()) {
    const { step } = checkpoint;
    const discard: Resumption['discard'] = ({ message }) =>
      checkpoints.discard(id, step, {
        code: 'checkpoint-damaged',
        message: `The checkpoint of step ${step} cannot be used, and the one before it is: ${message}`,
      });
    try {
      return { step, bytes: await checkpoints.read(checkpoint), discard };
    } catch (error) {
      if (!(error instanceof AtelierError)) throw error;
      await discard(error);
    }
  }
  return null;
}
