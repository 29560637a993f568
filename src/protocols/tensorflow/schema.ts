/** Wire format of TensorFlow Serving's predict API. */
import { z } from 'zod';

export const predictRequestSchema = z.strictObject({
  signature_name: z.enum(['serving_default', ''], 'must be serving_default').optional(),
  instances: z.unknown().optional().describe('By row: one image per element'),
  inputs: z.unknown().optional().describe('By column: one tensor of all images'),
});

const rows = z.array(z.array(z.number())).describe('For each image, the probability of each class');

export const predictResponseSchema = z
  .union([z.object({ predictions: rows }), z.object({ outputs: rows })])
  .meta({ id: 'TensorflowPredictResponse' });
