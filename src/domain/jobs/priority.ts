/** Priority of a training job in the queue. */
import { z } from 'zod';

const MAX_PRIORITY = 10;

export const prioritySchema = z.int().min(-MAX_PRIORITY).max(MAX_PRIORITY);

/** The field of a training job that can be changed. */
export const jobChangesSchema = z
  .strictObject({ priority: prioritySchema })
  .meta({ id: 'TrainingJobChanges' });
