/** Where an imported version comes from. */
import { z } from 'zod';

const IMPORT_SOURCES = ['packed-npy', 'npz', 'safetensors', 'sklearn', 'pytorch'] as const;

export const ASSUMED_FIELDS = ['activation', 'classNames', 'standardization'] as const;

export const importOriginSchema = z
  .object({
    source: z.enum(IMPORT_SOURCES).describe('Who wrote the file, as far as its names tell'),
    fileDigest: z.string().describe('`sha256:` of the file as it was sent'),
    rounded: z.int().describe('Parameters that float32 does not hold exactly, and that were rounded to it'),
    assumed: z.array(z.enum(ASSUMED_FIELDS)).describe('What neither the file nor the request said'),
  })
  .meta({ id: 'ImportOrigin' });
export type ImportOrigin = z.infer<typeof importOriginSchema>;
