/** Names of the export formats, of their options and of their files. */
import type { PublishedModel } from './metadata.ts';

export const EXPORT_FORMATS = ['onnx', 'safetensors', 'npz', 'npy', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** `float`: pixels 0–1; `uint8`: pixels 0–255. */
export const ONNX_INPUTS = ['float', 'uint8'] as const;
export type OnnxInput = (typeof ONNX_INPUTS)[number];

export function exportFileName(
  { name, version }: Pick<PublishedModel, 'name' | 'version'>,
  format: ExportFormat,
): string {
  return `${name}-${version}.${format}`;
}
