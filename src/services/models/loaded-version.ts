/** A model version in memory, ready to predict. */
import type { Preprocessing } from '../../domain/predictions/preprocessing.ts';
import type { KernelForward } from '../../numerics/simd/kernel-forward.ts';
import type { ServedNetwork } from '../../workers/kernel/compile.ts';

export interface LoadedModel extends ServedNetwork {
  readonly forward: KernelForward['forward'];
  /** Multiply-adds of the forward pass of one image. */
  readonly multiplyAdds: number;
  /** The data set it was trained on or, for an import, evaluated on; null without one. */
  readonly datasetId: string | null;
  /** The preprocessing of encoded images; null if they must have the input shape. */
  readonly preprocessing: Preprocessing | null;
}
