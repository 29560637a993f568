/** Query parameters of all routes that take images: pixel scale, resizing, diagnosis. */
import { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import { FITS } from './preprocessing.ts';

export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

export const imageQuery = {
  pixels: z.enum(['0-1', '0-255']).optional().describe('Scale of the numbers in a JSON or npy body'),
  fit: z
    .enum(FITS)
    .optional()
    .describe(
      'Resizes encoded images of up to `MAX_IMAGE_PIXELS`, by default 4096×4096 pixels: `contain` fits them into the `inputShape` of the model, ' +
        '`cover` crops them to its proportions around their centre, `stretch` ignores their proportions. By default as the `preprocessing` of ' +
        'the model says, whose background and inversion apply in any case; without one the background is black, and without ' +
        '`fit` other sizes are rejected',
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

/** @throws AtelierError `invalid-request` */
export function rejectOption(parameter: keyof ImageDecodingOptions, value: string, detail: string): never {
  const message = `The option ?${parameter}=${value} does not apply to this body. ${detail} Leave the option out.`;
  throw new AtelierError('invalid-request', message, { details: [{ parameter, detail }] });
}
