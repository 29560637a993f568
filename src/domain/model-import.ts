/** Imports of models: the form that is sent with a file, and the origin recorded with the version. */
import { z } from 'zod';
import { ACTIVATIONS } from '../numerics/network.ts';
import { nameSchema } from './model-reference.ts';
import { jsonText, metadataSchema } from './primitives.ts';

const className = z.string().min(1).max(100);

/** Text in, structures out: forms know nothing else. */
export const importRequestSchema = z.strictObject({
  name: nameSchema.describe('Of the model; the file becomes its next version'),
  hidden: z
    .string()
    .transform((text) => (text.trim().startsWith('[') ? text : `[${text}]`))
    .pipe(jsonText(z.array(z.int().min(1).max(4096)).max(8), 'must be sizes, as 40,20 or [40, 20]'))
    .optional()
    .describe('Units of the hidden layers, as 40,20 or [40, 20]; a packed vector cannot be read without'),
  activation: z.enum(ACTIVATIONS).optional(),
  classNames: jsonText(
    z
      .array(className)
      .min(2)
      .max(100)
      .refine((names) => new Set(names).size === names.length, 'must be all different'),
  )
    .optional()
    .describe('JSON array, in the order of the outputs'),
  standardization: z
    .union([
      z.literal('none').transform(() => null),
      jsonText(z.strictObject({ mean: z.number(), std: z.number().positive() })),
    ])
    .optional()
    .describe(
      'Of the pixels / 255 that it was trained on, as {"mean": 0.286, "std": 0.353}; or none. Pixels 0–255 as they are: {"mean": 0, "std": 0.00392156862745098}',
    ),
  dataset: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Id of the data set that it is measured on, and takes its class names from where there are none; or none',
    ),
  metadata: jsonText(metadataSchema).optional().describe('JSON object of at most 16 short strings'),
});
export type ImportRequest = z.output<typeof importRequestSchema>;

export const NO_DATASET = 'none';

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
