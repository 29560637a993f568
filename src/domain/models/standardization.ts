/** The schema of standardizations: mean and standard deviation of pixels / 255 in training. */
import { z } from 'zod';

/** One number, or one for each channel of colour. */
export const byChannel = <T extends z.ZodType>(number: T) =>
  z.union([number, z.tuple([number, number, number])]);

/** A standardization in a request or a file. */
export const standardizationSchema = z.strictObject({
  mean: byChannel(z.number()),
  std: byChannel(z.number().positive()),
});
