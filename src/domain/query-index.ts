/** Numbers of things, counted from 0, in a query. */
import { z } from 'zod';

/** Not coerced: `Number('')` is 0. */
export const queryIndex = z.preprocess(
  (text) => (/^\d{1,9}$/.test(String(text)) ? Number(text) : text),
  z.int('must be a whole number').min(0),
);
