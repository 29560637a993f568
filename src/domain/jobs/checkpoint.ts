/** Checkpoints of a training job: it resumes from them. They can also be used like models. */
import { z } from 'zod';

export const checkpointSchema = z
  .object({
    step: z.int().describe('Steps done. `"job_…@step"` refers to the checkpoint'),
    epoch: z.int().describe('Epoch of the last step'),
    createdAt: z.string(),
    bytes: z.int(),
    loss: z
      .number()
      .nullable()
      .describe(
        'At the end of an epoch, the loss that selects the best epoch: validation loss, else training loss; null within an epoch',
      ),
    digest: z.string().describe('`sha256:` and the digest of the file'),
  })
  .meta({ id: 'Checkpoint' });
/** A checkpoint as the API shows it. */
export type CheckpointRecord = z.infer<typeof checkpointSchema>;
