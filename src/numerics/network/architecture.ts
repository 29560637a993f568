/** Architectures: the layers of a network, with their shapes, packed parameters and costs. */
import { channelCount, type ImageShape, valueCount } from './image-shape.ts';

/** Group normalization divides the channels of a convolution into groups of this size. */
export const GROUP_CHANNELS = 4;

/** Limits of the convolutions that requests and files may have. */
export const CONVOLUTION_LIMITS = { stages: 4, perStage: 3, channels: 256 } as const;

export const NORMS = ['none', 'group'] as const;
export type Norm = (typeof NORMS)[number];

/** The layers of a network, without parameters, activation and standardization. */
export interface Architecture {
  readonly inputShape: ImageShape;
  /**
   * For each stage, the output channels of its convolutions: 3×3, stride 1, a border of zeros ("same"), each followed by the
   * norm and the activation. A stage ends with 2×2 max pooling; an odd last row or column is dropped.
   */
  readonly convolutions: readonly (readonly number[])[];
  readonly norm: Norm;
  /** Units of the hidden fully connected layers, each followed by the activation. */
  readonly hidden: readonly number[];
  readonly classes: number;
}

/** Values of one image between two layers. A fully connected layer has one value a channel. */
export interface Volume {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Weights or biases of one layer in the packed vector. */
export interface Block {
  /** K1, c1, gamma1, beta1, K2, … of the convolutions, then W1, b1, W2, … of the fully connected layers. */
  readonly name: string;
  /** outputs × inputs × 3 × 3 of a kernel K, outputs × inputs of weights W, as in PyTorch. Others have one number for each output. */
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface PlannedLayer {
  readonly type: 'convolution' | 'groupNorm' | 'maxPool' | 'dense';
  readonly input: Volume;
  readonly output: Volume;
  /** Weights, then biases; none for pooling. */
  readonly blocks: readonly Block[];
  /** Multiply-adds of the forward pass of one image; 0 where they are few beside those of the other layers. */
  readonly multiplyAdds: number;
}

export interface Plan {
  readonly layers: readonly PlannedLayer[];
  /** Length of the packed vector: 31,810 for 784-40-10. */
  readonly parameterCount: number;
}

/** Number of values of a volume. */
export const volumeSize = ({ height, width, channels }: Volume): number => height * width * channels;

const units = (count: number): Volume => ({ height: 1, width: 1, channels: count });

/**
 * The layers from pixels to classes. Rows of pixels have channels last. The first fully connected layer above a convolution
 * takes its values channel by channel, as PyTorch flattens them; without convolutions it takes the pixels as they are.
 */
export function plan(architecture: Architecture): Plan {
  const { inputShape, convolutions, norm, hidden, classes } = architecture;
  const layers: PlannedLayer[] = [];
  let at = 0;
  const block = (name: string, ...shape: number[]): Block => {
    const start = at;
    at += shape.reduce((product, size) => product * size, 1);
    return { name, shape, start, end: at };
  };
  let input: Volume = { height: inputShape[0], width: inputShape[1], channels: channelCount(inputShape) };
  let n = 0;
  for (const stage of convolutions) {
    for (const channels of stage) {
      n++;
      const output = { ...input, channels };
      const blocks = [block(`K${n}`, channels, input.channels, 3, 3), block(`c${n}`, channels)];
      const multiplyAdds = 9 * input.channels * volumeSize(output);
      layers.push({ type: 'convolution', input, output, blocks, multiplyAdds });
      input = output;
      if (norm === 'none') continue;
      const scales = [block(`gamma${n}`, channels), block(`beta${n}`, channels)];
      layers.push({ type: 'groupNorm', input, output, blocks: scales, multiplyAdds: 0 });
    }
    const output = { ...input, height: input.height >> 1, width: input.width >> 1 };
    layers.push({ type: 'maxPool', input, output, blocks: [], multiplyAdds: 0 });
    input = output;
  }
  for (const [l, count] of [...hidden, classes].entries()) {
    const inputs = volumeSize(input);
    const blocks = [block(`W${l + 1}`, count, inputs), block(`b${l + 1}`, count)];
    layers.push({ type: 'dense', input, output: units(count), blocks, multiplyAdds: inputs * count });
    input = units(count);
  }
  return { layers, parameterCount: at };
}

/** The blocks of all layers in the order of the packed vector. */
export const blocks = (architecture: Architecture): Block[] =>
  plan(architecture).layers.flatMap((layer) => layer.blocks);

/** Length of the packed vector. */
export const parameterCount = (architecture: Architecture): number => plan(architecture).parameterCount;

/** Multiply-adds of the forward pass of one image: the size of all weights of 784-40-10. */
export const forwardCost = (architecture: Architecture): number =>
  plan(architecture).layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);

/** Inputs of the last layer, such as the units of the last hidden layer; 0 if its inputs are the pixels. */
export function hiddenUnits(architecture: Architecture): number {
  const { layers } = plan(architecture);
  return layers.length === 1 ? 0 : volumeSize(layers.at(-1)!.input);
}

/** Numbers of values: of an image, after each layer (of a stage after its pooling), and of the classes. */
export function layerSizes(architecture: Architecture): number[] {
  const { layers } = plan(architecture);
  const kept = layers.filter(({ type }) => type === 'maxPool' || type === 'dense');
  return [valueCount(architecture.inputShape), ...kept.map(({ output }) => volumeSize(output))];
}

/** "784-40-10", or "28×28-(16)-(32 32)-128-10" with stages of convolutions. */
export function architectureText({ inputShape, convolutions, hidden, classes }: Architecture): string {
  const first = convolutions.length > 0 ? inputShape.join('×') : valueCount(inputShape);
  return [first, ...stageTexts(convolutions), ...hidden, classes].join('-');
}

/** "(16)" and "(32 32)" */
export const stageTexts = (stages: readonly (number | readonly number[])[]): string[] =>
  stages.map((stage) => `(${[stage].flat().join(' ')})`);

/** @param sizes the units of all layers: hidden ones, then one for each class */
export function fullyConnected(inputShape: ImageShape, sizes: readonly number[]): Architecture {
  return { inputShape, convolutions: [], norm: 'none', hidden: sizes.slice(0, -1), classes: sizes.at(-1)! };
}
