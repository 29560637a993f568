/** Writes a model as a file in one of the export formats. */
import { jsonBytes } from './model-json.ts';
import { modelMetadata, type PublishedModel } from './model-metadata.ts';
import { npyBytes } from './npy.ts';
import { npzBytes } from './npz.ts';
import { type OnnxInput, onnxModel } from './onnx-graph.ts';
import { writeOnnx } from './onnx-write.ts';
import { safetensorsBytes } from './safetensors.ts';
import { layerTensors } from './tensor.ts';

export const EXPORT_FORMATS = ['onnx', 'safetensors', 'npz', 'npy', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The same model gives the same bytes. @param input input type of an ONNX graph; other formats ignore it */
export function exportModel(
  model: PublishedModel,
  format: ExportFormat,
  input: OnnxInput = 'float',
): Uint8Array {
  const { parameters, layerSizes } = model;
  const tensors = layerTensors(layerSizes, parameters);
  switch (format) {
    case 'onnx':
      return writeOnnx(onnxModel(model, input));
    case 'safetensors':
      return safetensorsBytes(tensors, modelMetadata(model));
    case 'npz':
      return npzBytes(tensors);
    case 'npy':
      return npyBytes(parameters, [parameters.length]);
    case 'json':
      return jsonBytes(model);
  }
}

export function exportFileName(
  { name, version }: Pick<PublishedModel, 'name' | 'version'>,
  format: ExportFormat,
): string {
  return `${name}-${version}.${format}`;
}
