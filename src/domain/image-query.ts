/** Query parameters of every route that takes images: how to read them, and whether to diagnose them. */
import { z } from 'zod';

export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

export const imageQuery = {
  pixels: z.enum(['0-1', '0-255']).optional().describe('Scale of the numbers of a JSON or npy body'),
  fit: z
    .enum(['contain'])
    .optional()
    .describe(
      'Resizes pictures of any size to 28×28, as a whole, on black; one that is not 28×28 is refused by default',
    ),
  diagnose: flag.describe(
    'Whether to say where an image does not look like those of the training; at most 10,000 images',
  ),
};

export interface ImageQuery {
  readonly pixels?: z.output<typeof imageQuery.pixels>;
  readonly fit?: z.output<typeof imageQuery.fit>;
}
