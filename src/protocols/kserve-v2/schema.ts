/** Wire format of the Open Inference Protocol v2. Unknown fields are ignored, as by other servers. */
import { z } from 'zod';
import { MAX_COVERAGE, MIN_COVERAGE } from '../../domain/models/calibration.ts';

/** Null is sent by clients that write unset fields. */
const parameter = z.union([z.string(), z.number(), z.boolean()]).nullable();
const noSharedMemory = z.never('shared memory is not supported; send the tensor in the body').optional();
const shared = { shared_memory_region: noSharedMemory };
/** MLServer's codec of a tensor, such as `np`. */
const contentType = { content_type: z.string().nullish() };
const size = z.int().min(0, 'must not be negative');

const inputSchema = z.object({
  name: z.string().describe('`image`, or any other name'),
  shape: z
    .array(size)
    .describe(
      'The number of images, then an image of the `inputShape` of the model: flat, rows, or with its channels last or first, such as ' +
        '[n, 3072], [n, 32, 32, 3] or [n, 3, 32, 32]. A single image may omit the number',
    ),
  datatype: z.string().describe('Pixels are 0–1 in floating-point types, 0–255 in integer types'),
  parameters: z
    .object({ binary_data_size: size.optional(), ...contentType, ...shared })
    .catchall(parameter)
    .nullish(),
  data: z.unknown().optional().describe('Row-major, nested or flat; omitted for a binary tensor'),
});

const requestedOutputSchema = z.object({
  name: z.string(),
  parameters: z
    .object({
      binary_data: z.boolean().optional(),
      classification: size.optional().describe('The k most probable classes, as `value:index:label`'),
      ...contentType,
      ...shared,
    })
    .catchall(parameter)
    .nullish(),
});

export const inferRequestSchema = z.object({
  id: z.string().nullish(),
  parameters: z
    .object({
      binary_data_output: z.boolean().optional(),
      coverage: z
        .number()
        .min(MIN_COVERAGE)
        .max(MAX_COVERAGE)
        .optional()
        .describe('Adds the outputs `prediction_set` and `unsure`; 409 without a calibration'),
      ...contentType,
    })
    .catchall(parameter)
    .nullish(),
  inputs: z.array(inputSchema),
  outputs: z.array(requestedOutputSchema).nullish().describe('All outputs by default'),
});
export type V2InferRequest = z.output<typeof inferRequestSchema>;
export type V2Input = z.output<typeof inputSchema>;

export const INPUT = 'image';
/** Appended to the name of a model that is described as an image classifier. No model can have such a name: names have no colon. */
export const IMAGE_SUFFIX = ':image';
export const OUTPUTS = ['probabilities', 'label'] as const;
/** Outputs of a request with a coverage. */
export const GUARANTEED_OUTPUTS = ['prediction_set', 'unsure'] as const;
export type OutputName = (typeof OUTPUTS | typeof GUARANTEED_OUTPUTS)[number];

const tensor = { name: z.string(), datatype: z.string(), shape: z.array(z.int()) };

export const inferResponseSchema = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional().describe('The id of the request, if any'),
    parameters: z.object({ content_type: z.string() }).optional().describe('That of the request, if any'),
    outputs: z.array(
      z.object({
        ...tensor,
        parameters: z
          .object({ binary_data_size: z.int().optional(), content_type: z.string().optional() })
          .optional(),
        data: z.array(z.union([z.number(), z.string(), z.boolean()])).optional(),
      }),
    ),
  })
  .meta({ id: 'V2InferResponse' });
export type V2InferResponse = z.infer<typeof inferResponseSchema>;
export type V2Output = V2InferResponse['outputs'][number];

export const serverMetadataSchema = z
  .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
  .meta({ id: 'V2ServerMetadata' });

export const serverReadinessSchema = z
  .object({ ready: z.boolean(), live: z.literal(true) })
  .meta({ id: 'V2Readiness' });

export const modelReadinessSchema = z
  .object({ name: z.string(), ready: z.literal(true) })
  .meta({ id: 'V2ModelReadiness' });

export const modelMetadataSchema = z
  .object({
    name: z.string(),
    versions: z.array(z.string()).describe('Decimal, ascending'),
    platform: z.string(),
    inputs: z.array(z.object(tensor)),
    outputs: z.array(z.object(tensor)),
  })
  .meta({ id: 'V2ModelMetadata' });

const configTensor = {
  name: z.string(),
  data_type: z.string().describe('`TYPE_` and the datatype'),
  dims: z.array(z.int()).describe('Without the batch dimension'),
};

/** The part of Triton's ModelConfig that describes any model; model_config.proto has the meaning of each field. */
export const modelConfigSchema = z
  .object({
    name: z.string(),
    platform: z.string(),
    backend: z.string(),
    version_policy: z.object({ all: z.object({}) }),
    max_batch_size: z.int().describe('Images of the input that fit into `MAX_BODY_BYTES`'),
    input: z.array(
      z.object({
        ...configTensor,
        format: z.enum(['FORMAT_NONE', 'FORMAT_NCHW']),
        is_shape_tensor: z.literal(false),
        optional: z.literal(false),
      }),
    ),
    output: z.array(
      z.object({
        ...configTensor,
        reshape: z.object({ shape: z.array(z.int()) }).optional(),
        label_filename: z.string(),
        is_shape_tensor: z.literal(false),
      }),
    ),
    model_transaction_policy: z.object({ decoupled: z.literal(false) }),
  })
  .meta({ id: 'V2ModelConfig' });

const duration = z.object({ count: z.int(), ns: z.int() });
const compute = { compute_input: duration, compute_infer: duration, compute_output: duration };

export const modelStatisticsSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    last_inference: z.int().describe('Milliseconds since 1970; 0 before the first inference'),
    inference_count: z.int().describe('Images'),
    execution_count: z.int().describe('Requests'),
    inference_stats: z.object({
      success: duration,
      fail: duration,
      queue: duration,
      ...compute,
      cache_hit: duration,
      cache_miss: duration,
    }),
    batch_stats: z.array(z.object({ batch_size: z.int(), ...compute })),
  })
  .meta({ id: 'V2ModelStatistics' });
export type V2ModelStatistics = z.infer<typeof modelStatisticsSchema>;

export const statisticsSchema = z
  .object({ model_stats: z.array(modelStatisticsSchema) })
  .meta({ id: 'V2Statistics' });

export const repositoryIndexRequestSchema = z.object({
  ready: z.boolean().optional().describe('Has no effect, since every model is ready'),
});

export const repositoryIndexSchema = z
  .array(z.object({ name: z.string(), version: z.string(), state: z.literal('READY'), reason: z.string() }))
  .meta({ id: 'V2RepositoryIndex' });
