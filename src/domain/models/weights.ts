/** Query for the image of a layer's weights. `formats/drawing/weights.ts` draws it. */
import { z } from 'zod';
import { wholeNumber } from '../primitives.ts';

export const weightsQuerySchema = z.strictObject({
  layer: wholeNumber(1)
    .prefault(1)
    .describe(
      'Layer number: convolutions, then hidden layers and classes; pooling and normalization are not counted. Layer 1 is drawn as one ' +
        'tile of the shape of the images per unit, or of 3×3 weights per channel if it is a convolution; later layers as a map of units or ' +
        'channels (rows) × inputs (columns)',
    ),
  unit: wholeNumber(0).optional().describe('Draw this unit or channel only, from 0'),
});
export type WeightsQuery = z.output<typeof weightsQuerySchema>;
