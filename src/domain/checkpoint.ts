/** Checkpoints of a training job: where it goes on from after an interruption, and what can be tried of it meanwhile. */
import { z } from 'zod';

export const checkpointSchema = z
  .object({
    step: z.int().describe('Steps done; with the id of the job, what the checkpoint is referred to by'),
    epoch: z.int().describe('Epoch of the last step'),
    createdAt: z.string(),
    bytes: z.int(),
    loss: z
      .number()
      .nullable()
      .describe(
        'At the end of an epoch, its loss by which the best is chosen: of validation, or else of training',
      ),
    digest: z.string().describe('`sha256:` of the file'),
  })
  .meta({ id: 'Checkpoint' });
/** What is shown of a checkpoint. */
export type CheckpointRecord = z.infer<typeof checkpointSchema>;
