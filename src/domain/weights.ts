/** Which weights are looked at. The picture is `formats/drawing/weights.ts`. */
import { z } from 'zod';
import { queryIndex } from './query-index.ts';

export const weightsQuerySchema = z.strictObject({
  layer: z.coerce
    .number()
    .int()
    .min(1)
    .default(1)
    .describe(
      '1 for the first: a 28×28 tile for each unit. Later ones: a map of units (rows) × inputs (columns)',
    ),
  unit: queryIndex.optional().describe('Only this unit, from 0'),
});
export type WeightsQuery = z.output<typeof weightsQuerySchema>;
