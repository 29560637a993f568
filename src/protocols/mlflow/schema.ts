/** Wire format of MLflow's scoring server. */
import { z } from 'zod';

export const OUTPUT_FORMS = ['probabilities', 'label'] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

/** Unknown fields and unknown parameters are ignored, because MLflow ignores them. */
export const invocationSchema = z.object({
  inputs: z.unknown().optional().describe('One tensor of all images'),
  instances: z.unknown().optional().describe('One image per element'),
  dataframe_split: z
    .object({ columns: z.array(z.unknown()).optional(), data: z.array(z.unknown()) })
    .optional()
    .describe(
      'As written by pandas with orient="split": one column per value of an image, or one column that holds images',
    ),
  dataframe_records: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .describe(
      'As written by pandas with orient="records"; the first row determines the columns and their order',
    ),
  params: z.object({ output: z.enum(OUTPUT_FORMS).optional() }).nullish(),
});
export type Invocation = z.output<typeof invocationSchema>;

export const invocationResponseSchema = z
  .object({
    predictions: z
      .array(z.union([z.array(z.number()), z.int()]))
      .describe('For each image, the probability of each class or the label'),
  })
  .meta({ id: 'MlflowPredictions' });
