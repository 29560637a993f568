/** Writes a model as a file in one of the export formats. */

import { npyBytes } from '../arrays/npy.ts';
import { npzBytes } from '../arrays/npz.ts';
import { safetensorsBytes } from '../arrays/safetensors.ts';
import { layerTensors } from '../arrays/tensor.ts';
import { onnxModel } from '../onnx/graph.ts';
import { writeOnnx } from '../onnx/write.ts';
import type { ExportFormat, OnnxInput } from './export-formats.ts';
import { jsonBytes } from './json.ts';
import { modelMetadata, type PublishedModel } from './metadata.ts';

/**
 * The same model gives the same bytes.
 * @param input input type of an ONNX graph; other formats ignore it, and the temperature
 * @param temperature divisor of the logits of an ONNX graph; null for none
 */
export function exportModel(
  model: PublishedModel,
  format: ExportFormat,
  input: OnnxInput = 'float',
  temperature: number | null = null,
): Uint8Array {
  const { parameters, architecture } = model;
  const tensors = layerTensors(architecture, parameters);
  switch (format) {
    case 'onnx':
      return writeOnnx(onnxModel(model, input, temperature));
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
