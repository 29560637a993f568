/** Query parameters of all routes that take images: pixel scale, resizing, diagnosis. */
import { z } from 'zod';

export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

export const imageQuery = {
  pixels: z.enum(['0-1', '0-255']).optional().describe('Scale of the numbers in a JSON or npy body'),
  fit: z
    .enum(['contain'])
    .optional()
    .describe(
      'Resizes images of up to `MAX_IMAGE_PIXELS`, by default 4096×4096 pixels, to fit into 28×28, on a black background. ' +
        'Without it, other sizes are rejected',
    ),
  diagnose: flag.describe(
    'Whether to report how an image differs from the training images; at most 10,000 images',
  ),
};

export type Fit = z.output<typeof imageQuery.fit>;

export interface ImageDecodingOptions {
  readonly pixels?: z.output<typeof imageQuery.pixels>;
  readonly fit?: Fit;
}
