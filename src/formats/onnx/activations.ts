/** The ONNX operators of the activations, for exports and imports: https://onnx.ai/onnx/operators */
import { type Activation, LEAK } from '../../numerics/network/activations.ts';

interface OnnxActivation {
  readonly operator: string;
  /** The attribute of this name. Its default in ONNX is this value, the only one that an import supports. */
  readonly alpha?: number;
  /** Exports have Sigmoid and a Mul by the sums instead, because the operator is too new for many programs. */
  readonly isExportedAsGate?: boolean;
}

/** null if no operator is needed. */
export const ONNX_ACTIVATIONS: Readonly<Record<Activation, OnnxActivation | null>> = {
  relu: { operator: 'Relu' },
  'leaky-relu': { operator: 'LeakyRelu', alpha: LEAK },
  tanh: { operator: 'Tanh' },
  sigmoid: { operator: 'Sigmoid' },
  identity: null,
  silu: { operator: 'Swish', alpha: 1, isExportedAsGate: true },
};
