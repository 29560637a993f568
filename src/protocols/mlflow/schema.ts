/** Bodies of MLflow's scoring server, with its own names. */
import { z } from 'zod';

export const OUTPUT_FORMS = ['probabilities', 'label'] as const;
export type OutputForm = (typeof OUTPUT_FORMS)[number];

export const invocationSchema = z.strictObject({
  inputs: z.unknown().optional().describe('One tensor of all images'),
  instances: z.unknown().optional().describe('One image an element'),
  dataframe_split: z
    .object({ columns: z.array(z.unknown()).optional(), data: z.array(z.unknown()) })
    .optional()
    .describe('As pandas writes it with orient="split": 784 columns, or one that holds images'),
  dataframe_records: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .describe(
      'As pandas writes it with orient="records": the columns are those of the first row, in its order',
    ),
  params: z.strictObject({ output: z.enum(OUTPUT_FORMS).optional() }).nullish(),
});
export type Invocation = z.output<typeof invocationSchema>;

export const invocationResponseSchema = z
  .object({
    predictions: z
      .array(z.union([z.array(z.number()), z.int()]))
      .describe('Of each image the probability of each class, or its label'),
  })
  .meta({ id: 'MlflowPredictions' });
