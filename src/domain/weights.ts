/** Which weights are looked at. The picture is `formats/drawing/weights.ts`. */
import { z } from 'zod';
import { wholeNumber } from './primitives.ts';

export const weightsQuerySchema = z.strictObject({
  layer: wholeNumber(1)
    .prefault(1)
    .describe(
      '1 for the first: a 28×28 tile for each unit. Later ones: a map of units (rows) × inputs (columns)',
    ),
  unit: wholeNumber(0).optional().describe('Only this unit, from 0'),
});
export type WeightsQuery = z.output<typeof weightsQuerySchema>;
