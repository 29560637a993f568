/** Layout of the layers: their weights, and what convolutions keep of an image. */
import {
  type Architecture,
  type PlannedLayer,
  plan,
  type Volume,
  volumeSize,
} from '../network/architecture.ts';

const LINE = 64;

export interface LayerLayout {
  /** Rows of the weights, those of padded channels included, and their columns. */
  readonly inputs: number;
  readonly outputs: number;
  /** Outputs in the packed vector: fewer than `outputs` if channels are padded. */
  readonly units: number;
  /** The row of each input of the packed vector; null if they are the same. */
  readonly rows: Uint32Array | null;
  /** Addresses; `transposed` is 0 without training, and for the first layer: it passes no gradient back. */
  readonly weights: number;
  readonly transposed: number;
  /** Offsets in the record of an example. */
  readonly inputValues: number;
  readonly inputList: number;
  readonly outputValues: number;
  readonly outputGradient: number;
  readonly gradientList: number;
  readonly backwardSums: number;
  readonly inputGradient: number;
}

/** The fields of a convolution in header.ts. */
export interface ConvolutionLayout {
  readonly kernel: number;
  readonly norm: number;
  readonly height: number;
  readonly width: number;
  readonly inputStep: number;
  readonly outputStep: number;
  readonly channels: number;
  readonly isPooled: boolean;
  readonly inputVolume: number;
  readonly normVolume: number;
  readonly normStatistics: number;
  readonly sums: number;
  readonly codes: number;
  readonly outputVolume: number;
  readonly derivative: number;
  readonly gradient: number;
}

export const lines = (bytes: number) => Math.ceil(bytes / LINE) * LINE;
/** An odd number of cache lines spreads the same field of many records over all sets of the cache. */
export const oddLines = (bytes: number) => ((lines(bytes) / LINE) | 1) * LINE;
/** Channels of a volume, padded to whole panels. */
export const padded = (channels: number) => Math.ceil(channels / 16) * 16;
/** Multiply-adds of each layer for one image, those of padded channels included: 1 channel takes as long as 16. */
export function kernelCosts(architecture: Architecture): number[] {
  const { layers } = plan(architecture);
  const padding = ({ channels }: Volume) => padded(channels) / channels;
  return layers.map(({ type, input, output, multiplyAdds }, l) => {
    const inputs = l > 0 && layers[l - 1]!.type !== 'dense' ? padding(input) : 1;
    return multiplyAdds * inputs * (type === 'convolution' ? padding(output) : 1);
  });
}

/** Multiply-adds of the forward pass of the kernel for one image. */
export const kernelCost = (architecture: Architecture): number =>
  kernelCosts(architecture).reduce((sum, cost) => sum + cost, 0);

/** Bytes of a volume with a border of one position. */
const volumeBytes = ({ height, width }: Volume, step: number) => (height + 2) * (width + 2) * step;
/** Number of float32×4 vectors of a layer, even. */
export const vectorCount = (units: number) => ((units + 7) >> 3) << 1;

/** Allocates consecutive cache lines. */
export function allocator(start: number) {
  let end = start;
  return {
    take: (bytes: number) => {
      const at = end;
      end += lines(bytes);
      return at;
    },
    end: () => end,
  };
}

type Allocator = ReturnType<typeof allocator>;

/** A layer that only has weights in the memory: a kernel, or the scales or shifts of a norm. */
function weightsOnly(
  memory: Allocator,
  outputs: number,
  units: number,
  rows: Uint32Array | null,
  inputs: number,
): LayerLayout {
  const weights = memory.take(4 * outputs * (inputs + 1));
  const none = {
    inputValues: 0,
    inputList: 0,
    outputValues: 0,
    outputGradient: 0,
    gradientList: 0,
    backwardSums: 0,
  };
  return { inputs, outputs, units, rows, weights, transposed: 0, ...none, inputGradient: 0 };
}

/** The row of each weight of a packed kernel: its inputs, and for each the taps. In the kernel's order, inputs are last. */
function kernelRows(channels: number, step: number): Uint32Array {
  return Uint32Array.from({ length: 9 * channels }, (_, j) => (j % 9) * step + Math.floor(j / 9));
}

/** The row of each input of the first fully connected layer: packed channel by channel, in the record position by position. */
export function flatRows({ height, width, channels }: Volume): Uint32Array {
  const positions = height * width;
  const step = padded(channels);
  return Uint32Array.from(
    { length: positions * channels },
    (_, j) => (j % positions) * step + Math.floor(j / positions),
  );
}

/** The kept values of an image, the volumes of a thread, and the weights of the convolutions. */
export function layOutConvolutions(planned: readonly PlannedLayer[], memory: Allocator) {
  const kept = allocator(0);
  const volumes = allocator(0);
  const layers: LayerLayout[] = [];
  const convolutions: ConvolutionLayout[] = [];
  const convolutionLayers = planned.filter(({ type }) => type === 'convolution');
  const pooledBytes = convolutionLayers.map(({ output }) => volumeBytes(output, 4 * padded(output.channels)));
  // The gradient of what has been pooled, of all stages.
  const pooledGradient = volumes.take(Math.max(0, ...pooledBytes));
  let inputVolume = 0;
  for (const [l, { type, input, output }] of planned.entries()) {
    if (type !== 'convolution') continue;
    const isFirst = convolutions.length === 0;
    const inputStep = 4 * (isFirst ? input.channels : padded(input.channels));
    const outputs = padded(output.channels);
    const outputStep = 4 * outputs;
    if (isFirst) inputVolume = kept.take(volumeBytes(input, inputStep));
    layers.push(
      weightsOnly(
        memory,
        outputs,
        output.channels,
        kernelRows(input.channels, inputStep / 4),
        (9 * inputStep) / 4,
      ),
    );
    const kernel = layers.length;
    const hasNorm = planned[l + 1]!.type === 'groupNorm';
    if (hasNorm) {
      for (let k = 0; k < 2; k++) layers.push(weightsOnly(memory, outputs, output.channels, null, 0));
    }
    const next = planned[l + (hasNorm ? 2 : 1)]!;
    const isPooled = next.type === 'maxPool';
    const bytes = volumeBytes(isPooled ? next.output : output, outputStep);
    const outputVolume = kept.take(bytes);
    convolutions.push({
      kernel,
      norm: hasNorm ? kernel + 1 : 0,
      height: output.height,
      width: output.width,
      inputStep,
      outputStep,
      channels: output.channels,
      isPooled,
      inputVolume,
      normVolume: hasNorm ? kept.take(volumeBytes(output, outputStep)) : 0,
      normStatistics: hasNorm ? kept.take(8 * outputs) : 0,
      sums: isPooled ? volumes.take(volumeBytes(output, outputStep)) : 0,
      codes: isPooled ? kept.take((volumeSize(next.output) / output.channels) * outputs) : 0,
      outputVolume,
      derivative: kept.take(bytes),
      gradient: volumes.take(volumeBytes(output, outputStep)),
    });
    inputVolume = outputVolume;
  }
  return { layers, convolutions, pooledGradient, keptBytes: kept.end(), volumeBytes: volumes.end() };
}
