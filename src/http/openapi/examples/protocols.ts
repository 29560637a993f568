/** Examples of the bodies of other protocols. */
import { z } from 'zod';
import { describeConfig, describeMetadata } from '../../../protocols/kserve-v2/model-description.ts';
import type { V2InferResponse, V2ModelStatistics } from '../../../protocols/kserve-v2/schema.ts';
import { modelMetadata, versionStatus } from '../../../protocols/tensorflow/model-status.ts';

const BLACK: number[] = new Array(784).fill(0);
const PROBABILITIES = [0.0004, 0.0002, 0.0006, 0.0003, 0.0005, 0.07, 0.0008, 0.1, 0.0012, 0.826];

export const V2_INFER_EXAMPLE = {
  id: '42',
  inputs: [{ name: 'image', shape: [1, 784], datatype: 'UINT8', data: BLACK }],
  outputs: [{ name: 'label' }],
};
export const TENSORFLOW_EXAMPLE = { instances: [BLACK] };
export const MLFLOW_EXAMPLE = { instances: [BLACK], params: { output: 'label' } };
export const CSV_EXAMPLE = `${BLACK.join()}\n`;

const model = { name: 'fashion-mnist', layerSizes: [784, 40, 10], asImage: false };

const inferResponse: V2InferResponse = {
  model_name: 'fashion-mnist',
  model_version: '1',
  id: '42',
  outputs: [{ name: 'label', datatype: 'INT64', shape: [1], data: [9] }],
};

const once = (ns: number) => ({ count: 1, ns });
const never = { count: 0, ns: 0 };
const compute = {
  compute_input: once(61_250),
  compute_infer: once(24_100),
  compute_output: once(18_400),
};
const modelStatistics: V2ModelStatistics = {
  name: 'fashion-mnist',
  version: '1',
  last_inference: 1_795_579_124_980,
  inference_count: 1,
  execution_count: 1,
  inference_stats: {
    success: once(103_750),
    fail: never,
    queue: once(0),
    ...compute,
    cache_hit: never,
    cache_miss: never,
  },
  batch_stats: [{ batch_size: 1, ...compute }],
};

/** By component id. */
export const protocolExamples: Readonly<Record<string, unknown>> = {
  ProtocolError: { error: 'Model nope does not exist. Existing models: fashion-mnist.' },
  MlflowError: { error_code: 'BAD_REQUEST', message: 'The request has no body. Send one.' },
  KserveLiveness: { status: 'alive' },
  V2ServerMetadata: {
    name: 'atelier',
    version: '0.1.0',
    extensions: [
      'binary_tensor_data',
      'classification',
      'model_configuration',
      'model_repository',
      'statistics',
    ],
  },
  V2Readiness: { ready: true, live: true },
  V2ModelMetadata: describeMetadata(model, [1]),
  V2ModelConfig: describeConfig(model, 2 ** 26),
  V2ModelReadiness: { name: 'fashion-mnist', ready: true },
  V2InferResponse: inferResponse,
  V2ModelStatistics: modelStatistics,
  V2Statistics: { model_stats: [modelStatistics] },
  V2RepositoryIndex: [{ name: 'fashion-mnist', version: '1', state: 'READY', reason: '' }],
  TensorflowPredictResponse: { predictions: [PROBABILITIES] },
  TensorflowModelStatus: versionStatus(1),
  TensorflowModelMetadata: modelMetadata({ name: 'fashion-mnist', version: 1, layerSizes: [784, 40, 10] }),
  MlflowPredictions: { predictions: [9] },
};

/** OpenAPI content of a body that Fastify does not validate. */
export function jsonContent(schema: z.ZodType, example: unknown): object {
  const { $schema, ...shown } = z.toJSONSchema(schema, { io: 'input' });
  return { schema: { ...shown, examples: [example] } };
}
