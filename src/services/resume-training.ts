/** The checkpoint from which an interrupted job continues. */
import type { TrainingJob } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { SerializedError } from '../workers/messages.ts';

export interface Resumption {
  readonly step: number;
  readonly bytes: Uint8Array;
  /** Called if the thread cannot continue from it: the next run uses the checkpoint before it. */
  discard(reason: Pick<SerializedError, 'code' | 'message'>): Promise<void>;
}

const TRANSIENT_CODES = ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM'];

/** The last checkpoint that can be read; null where the job begins from nothing. Those that cannot be are discarded. */
export async function resumeFrom(
  { id }: TrainingJob,
  { checkpoints }: Pick<Store, 'checkpoints'>,
): Promise<Resumption | null> {
  const newestFirst = (await checkpoints.list(id)).reverse();
  for (const [n, checkpoint] of newestFirst.entries()) {
    const { step } = checkpoint;
    const before = newestFirst[n + 1];
    const instead = before ? `from that of step ${before.step}` : 'from its beginning';
    const discard: Resumption['discard'] = ({ message }) =>
      checkpoints.discard(id, step, {
        code: 'checkpoint-damaged',
        message: `The checkpoint of step ${step} cannot be used, and the job goes on ${instead}: ${firstSentence(message)}. Nothing has to be done.`,
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

/** Without the advice that follows: the job helps itself. */
function firstSentence(message: string): string {
  return message.split('. ', 1)[0]!;
}

/** The file may be as good as ever. */
function isTransient(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && TRANSIENT_CODES.includes(String(cause.code));
}
