/** Preprocessing of encoded images: how an image of any size gets the shape of a model. */
import { z } from 'zod';

export const FITS = ['contain', 'cover', 'stretch'] as const;
export type FitMode = (typeof FITS)[number];
export const BACKGROUNDS = ['auto', 'black', 'white'] as const;

export const preprocessingSchema = z
  .strictObject({
    fit: z
      .enum(FITS)
      .describe(
        '`contain` fits the whole image into the shape of the data set, `cover` crops it to the proportions of the shape around its centre, `stretch` ignores its proportions',
      ),
    background: z
      .enum(BACKGROUNDS)
      .describe(
        'Grey, or colour, around the image with `contain`; `auto` is the median of its border. Transparent parts become white with ' +
          '`auto`, else this background',
      ),
    invert: z.enum(['always', 'never']).describe('Whether pixels become 255 − pixel, at the end'),
  })
  .meta({ id: 'Preprocessing' });
export type Preprocessing = z.infer<typeof preprocessingSchema>;

/** Applies where only a fit is given. */
const PLAIN = { background: 'black', invert: 'never' } as const;

/**
 * The preprocessing of a request: the model's, with the fit of the request if it has one.
 * @returns null if images must have the shape already
 */
export function preprocessingFor(
  model: Preprocessing | null,
  fit: FitMode | undefined,
): Preprocessing | null {
  return fit === undefined ? model : { ...PLAIN, ...model, fit };
}
