/** JSON where only text can be sent: in metadata of files, in fields of forms. */
import { z } from 'zod';

/** @param otherwise what to say of text that is none */
export function jsonText<T extends z.ZodType>(schema: T, otherwise = 'is not JSON') {
  return z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: otherwise });
        return z.NEVER;
      }
    })
    .pipe(schema);
}
