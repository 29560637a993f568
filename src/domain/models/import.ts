/** Model imports: the form sent with a file, and the origin recorded with the version. */

import { z } from 'zod';
import { NORMS } from '../../numerics/network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../numerics/network/image-shape.ts';
import { MAX_CLASSES, MIN_CLASSES } from '../datasets/representation.ts';
import { requestedShapeText, showImageShape } from '../image-shape.ts';
import { stagesSchema } from '../jobs/request.ts';
import { preprocessingSchema } from '../predictions/preprocessing.ts';
import { jsonText, namesText, newMetadataSchema, wellFormed } from '../primitives.ts';
import { activationSchema } from './activation.ts';
import { nameSchema } from './reference.ts';
import { standardizationSchema } from './standardization.ts';

const className = z
  .string()
  .min(1)
  .max(100)
  .refine(...wellFormed);

/** Fields of the form that imports a model; all arrive as text. */
export const importRequestSchema = z.strictObject({
  name: nameSchema.describe('Name of the model; the file becomes its next version'),
  hidden: z
    .string()
    // The brackets of the list are optional.
    .transform((text) => (text.trim().startsWith('[') ? text : `[${text}]`))
    .pipe(
      jsonText(
        z.array(z.int().min(1).max(4096)).max(8),
        'must be a list of sizes, such as 40,20 or [40, 20]',
      ),
    )
    .optional()
    .describe('Units of the hidden layers, such as 40,20 or [40, 20]; required for a packed vector'),
  convolutions: jsonText(stagesSchema, 'must be a list of stages, such as [16, 32] or [[32, 32], [64, 64]]')
    .transform((stages) => stages.map((stage) => [stage].flat()))
    .optional()
    .describe(
      'Output channels of the convolutions of each stage, such as [16, 32] or [[32, 32], [64, 64]], if the file does not say where the pooling is',
    ),
  norm: z
    .enum(NORMS)
    .optional()
    .describe('group to confirm that the normalizations of a file without such information are in groups'),
  inputShape: requestedShapeText.describe(
    'Shape of the images, such as [32, 32] or [32, 32, 3]; [3, 32, 32] if the first layer takes three planes, one after ' +
      'another. Needed only if the file does not hold it and the images are not grey squares; for a packed vector, if ' +
      `they are not ${showImageShape(DEFAULT_IMAGE_SHAPE)}`,
  ),
  activation: activationSchema.optional(),
  classNames: namesText(
    z
      .array(className)
      .min(MIN_CLASSES)
      .max(MAX_CLASSES)
      .refine((names) => new Set(names).size === names.length, 'must not contain the same name twice'),
  )
    .optional()
    .describe(
      'Names of the classes, in the order of the outputs: cat,dog or, if a name has a comma, a JSON array',
    ),
  standardization: z
    .union([
      z.literal('none').transform(() => null),
      jsonText(standardizationSchema, 'must be none, or JSON such as {"mean": 0.286, "std": 0.353}'),
    ])
    .optional()
    .describe(
      'Mean and standard deviation of pixels / 255 that the model was trained with, such as {"mean": 0.286, "std": 0.353}, or `none`; three numbers each, such as [0.49, 0.48, 0.45], by channel of colour. For a model trained on pixels from 0 to 255, use {"mean": 0, "std": 0.00392156862745098}',
    ),
  preprocessing: jsonText(
    preprocessingSchema,
    'must be JSON such as {"fit": "contain", "background": "auto", "invert": "never"}',
  )
    .optional()
    .describe(
      'How encoded images become the pixels that the model was trained on, as JSON; needed only if the file does not hold it',
    ),
  dataset: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Id of the data set to evaluate the model on and to take missing class names from. By default, or with `none`, nothing is evaluated and missing class names are `0`, `1` …',
    ),
  metadata: jsonText(newMetadataSchema, 'must be a JSON object of strings, such as {"run": "7"}')
    .optional()
    .describe('JSON object of at most 16 short strings'),
});
export type ImportRequest = z.output<typeof importRequestSchema>;

/** Value of `dataset` that skips the evaluation. */
export const NO_DATASET = 'none';

const IMPORT_SOURCES = ['packed-npy', 'npz', 'safetensors', 'onnx', 'sklearn', 'pytorch'] as const;

/** Properties that are assumed if neither the file nor the request gives them. */
export const ASSUMED_FIELDS = ['activation', 'classNames', 'standardization'] as const;

export const importOriginSchema = z
  .object({
    source: z
      .enum(IMPORT_SOURCES)
      .describe('Naming scheme of the arrays (sklearn, pytorch), otherwise the format of the file'),
    fileDigest: z.string().describe('`sha256:` and the digest of the file as sent'),
    rounded: z.int().describe('Number of parameters that were rounded to float32'),
    assumed: z
      .array(z.enum([...ASSUMED_FIELDS, 'biases', 'pooling']))
      .describe(
        'Properties that neither the file nor the request gave. `biases`: a layer has none; they become zero. `pooling`: a state ' +
          'dict does not hold the strides, paddings and poolings of its convolutions; stride 1, padding 1 and 2×2 max pooling are assumed',
      ),
  })
  .meta({ id: 'ImportOrigin' });
export type ImportOrigin = z.infer<typeof importOriginSchema>;
