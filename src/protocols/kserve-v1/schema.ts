/**
 * Wire format of KServe v1, apart from its predict API: TensorFlow Serving's.
 * https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
 */
import { z } from 'zod';
import { explanationSchema } from '../../domain/predictions/explanation.ts';

/** Limit per request: an explanation takes about 15 ms in a thread, and 28 kB. */
export const MAX_EXPLAINED_IMAGES = 16;

export const livenessSchema = z.object({ status: z.literal('alive') }).meta({ id: 'KserveLiveness' });

export const explainRequestSchema = z.strictObject({
  instances: z
    .unknown()
    .describe(`Images as for \`:predict\`, one per element, at most ${MAX_EXPLAINED_IMAGES}`),
});

/** The protocol leaves the explanations to the server: they are the native protocol's. */
export const explainResponseSchema = z
  .object({ explanations: z.array(explanationSchema).describe('One per image, in their order') })
  .meta({ id: 'KserveExplanations' });
