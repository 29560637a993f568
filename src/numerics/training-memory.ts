/** What trainings and gradient checks take of memory, told before: typed arrays are not counted by a thread's limits. */
import { momentCount, type OptimizerSettings } from './engine.ts';
import { type LayerSizes, parameterCount } from './network.ts';
import { CHUNK_EXAMPLES } from './simd/constants.ts';
import { layOut } from './simd/layout.ts';

const FLOAT64 = 8;
const FLOAT32 = 4;
const PAGE = 65536;
/** Of V8 and the modules, measured: the thread that trains or checks, and each further thread of a job. */
const THREAD_BYTES = 32 * 2 ** 20;
const FURTHER_THREAD_BYTES = 11 * 2 ** 20;
/** Packed copies of the kernel's parameters that an epoch leaves behind for the garbage collector, of about two epochs. */
const GARBAGE_COPIES = 4;

export interface TrainingSize {
  readonly layerSizes: LayerSizes;
  readonly batchSize: number;
  readonly threads: number;
  readonly optimizer: OptimizerSettings;
  /** Whether the parameters of the best epoch are kept. */
  readonly keepsBest: boolean;
  /** Whether the gradient is checked before. */
  readonly isChecked: boolean;
}

/** The most a training takes, its check's memory not yet collected: 58 bytes a parameter and more. */
export function trainingBytes(size: TrainingSize): number {
  const { layerSizes, threads, keepsBest, isChecked } = size;
  const kept = keepsBest ? 1 : 0;
  // In float64 the initial parameters and those that are measured; in float32 those that are published, and the best.
  const own = 2 * FLOAT64 + FLOAT32 * (1 + GARBAGE_COPIES + kept);
  // A checkpoint: copies of the parameters, the moments and the best, its file, and the one that is being stored.
  const checkpoints = 3 * FLOAT32 * (1 + momentCount(size.optimizer) + kept);
  return (
    THREAD_BYTES +
    (threads - 1) * FURTHER_THREAD_BYTES +
    parameterCount(layerSizes) * (own + checkpoints) +
    kernelBytes(size, momentCount(size.optimizer)) +
    evaluationBytes(layerSizes) +
    (isChecked ? quickCheckBytes(layerSizes, size.batchSize) : 0)
  );
}

/** Of a check of its own: the parameters, and of each coordinate its position and both gradients, besides. */
export function gradientCheckBytes(layerSizes: LayerSizes, examples: number): number {
  const listed = parameterCount(layerSizes) * (3 * FLOAT64 + FLOAT32);
  return THREAD_BYTES + listed + quickCheckBytes(layerSizes, examples);
}

/**
 * Of float64: parameters and gradient to take differences of; parameters and gradient of the reference engine, and the gradient it
 * gives. Of float32: rounded parameters, the kernel's gradient and the kernel itself.
 */
function quickCheckBytes(layerSizes: LayerSizes, batchSize: number): number {
  const vectors = 5 * FLOAT64 + 2 * FLOAT32;
  return parameterCount(layerSizes) * vectors + kernelBytes({ layerSizes, batchSize, threads: 1 }, 0);
}

/** Weights, gradient, moments, transposed weights; records of a batch's examples; scratch of each thread. */
function kernelBytes(
  { layerSizes, batchSize, threads }: Pick<TrainingSize, 'layerSizes' | 'batchSize' | 'threads'>,
  moments: number,
): number {
  const job = { records: batchSize, threads, training: true, moments };
  return layOut({ sizes: layerSizes, ...job }).pages * PAGE;
}

function evaluationBytes(layerSizes: LayerSizes): number {
  const job = { records: CHUNK_EXAMPLES, threads: 1, training: false, moments: 0 };
  return layOut({ sizes: layerSizes, ...job }).pages * PAGE;
}
