/** Wire format of the Open Inference Protocol v2. Unknown fields are ignored, as by other servers. */
import { z } from 'zod';

const parameter = z.union([z.string(), z.number(), z.boolean()]);
const noSharedMemory = z.never('shared memory is not supported; send the tensor in the body').optional();
const shared = { shared_memory_region: noSharedMemory };
const size = z.int('must be a whole number').min(0, 'must not be negative');

const inputSchema = z.object({
  name: z.string(),
  shape: z.array(size).describe('[n, 784], [n, 28, 28], [n, 1, 28, 28], [n, 28, 28, 1], [784] or [28, 28]'),
  datatype: z.string().describe('Pixels are 0–1 in floating-point types, 0–255 in integer types'),
  parameters: z
    .object({ binary_data_size: size.optional(), ...shared })
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
      ...shared,
    })
    .catchall(parameter)
    .nullish(),
});

export const inferRequestSchema = z.object({
  id: z.string().nullish(),
  parameters: z.object({ binary_data_output: z.boolean().optional() }).catchall(parameter).nullish(),
  inputs: z.array(inputSchema),
  outputs: z.array(requestedOutputSchema).nullish().describe('All outputs by default'),
});
export type V2Input = z.output<typeof inputSchema>;

export const OUTPUTS = ['probabilities', 'label'] as const;
export type OutputName = (typeof OUTPUTS)[number];

const tensor = { name: z.string(), datatype: z.string(), shape: z.array(z.int()) };

export const inferResponseSchema = z
  .object({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional().describe('The id of the request, if any'),
    outputs: z.array(
      z.object({
        ...tensor,
        parameters: z.object({ binary_data_size: z.int() }).optional(),
        data: z.array(z.union([z.number(), z.string()])).optional(),
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
