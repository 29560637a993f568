/** Forward and backward pass of one example through the layers of a network. */
import { ACTIVATION_FUNCTIONS, type ActivationFunction } from '../network/activations.ts';
import { type Block, plan } from '../network/architecture.ts';
import { valueCount } from '../network/image-shape.ts';
import { checkLength, type Network, type Parameters } from '../network/layers.ts';
import type { Pixels } from '../training/engine.ts';
import { activate, activatePixels, dropOut } from './active-values.ts';
import { type ActivationLayer, createActivation } from './layers/activation.ts';
import { createConvolution } from './layers/convolution.ts';
import { createDense, type DenseLayer, type ListInputs } from './layers/dense.ts';
import { createGroupNorm } from './layers/group-norm.ts';
import type { BlockViews, ReferenceLayer, Values } from './layers/interface.ts';
import { createMaxPool } from './layers/max-pool.ts';
import { createPixelPlanes, type PixelPlanes } from './layers/pixel-planes.ts';
import { foldBiases, foldBiasesBackward, pixelScales } from './standardization.ts';

export interface ExamplePass {
  readonly network: Network;
  readonly activation: ActivationFunction;
  /** The input of the first convolution; null without convolutions. */
  readonly image: PixelPlanes | null;
  /** Convolutions, norms, activations and pooling, then the fully connected layers. */
  readonly layers: readonly ReferenceLayer[];
  /** The last ones of `layers`. The output of the last is the logits (classes). */
  readonly dense: readonly DenseLayer[];
  /** The activations of each convolution, then of each hidden fully connected layer. */
  readonly hidden: readonly Pick<ActivationLayer, 'markAlive'>[];
  /** b1 with the mean of the pixels folded in (d1); null if b1 is added to the first layer as it is. */
  readonly foldedBiases: Float64Array | null;
  /** The current example. */
  readonly source: { pixels: Pixels; offset: number; masks: DropoutMasks | null };
}

/** One mask per hidden fully connected layer (1 for kept units, else 0), and the scale 1 / (1 − p). */
export interface DropoutMasks {
  readonly kept: readonly Uint8Array[];
  readonly scale: number;
}

/**
 * Keeps views of both packed vectors. Passes without a gradient have no `backwardExample`.
 * @throws RangeError when the number of parameters does not fit the architecture
 */
export function createExamplePass(
  network: Network,
  parameters: Parameters,
  gradient: Float64Array | null = null,
): ExamplePass {
  const { architecture, standardization } = network;
  checkLength(parameters, architecture);
  const activation = ACTIVATION_FUNCTIONS[network.activation];
  const isConvolutional = architecture.convolutions.length > 0;
  const image = isConvolutional ? createPixelPlanes(architecture.inputShape, standardization) : null;
  const scales = pixelScales(standardization);
  const source: ExamplePass['source'] = { pixels: new Uint8Array(), offset: 0, masks: null };
  const layers: ReferenceLayer[] = [];
  const dense: DenseLayer[] = [];
  const hidden: Pick<ActivationLayer, 'markAlive'>[] = [];
  let below: Values | null = image;
  let foldedBiases: Float64Array | null = null;

  const views = ({ start, end }: Block): BlockViews => ({
    values: parameters.subarray(start, end),
    gradient: gradient?.subarray(start, end) ?? null,
  });

  function add<L extends ReferenceLayer>(layer: L): L {
    layers.push(layer);
    below = layer;
    return layer;
  }

  /** How the next fully connected layer makes the list of its inputs. */
  function nextList(): ListInputs {
    const l = dense.length;
    if (below === null) return (a) => activatePixels(a, source.pixels, source.offset, scales);
    const { output } = below;
    if (l === 0) return (a) => activate(a, output, ACTIVATION_FUNCTIONS.identity);
    return (a) => {
      activate(a, output, activation);
      if (source.masks !== null) dropOut(a, source.masks.kept[l - 1]!, source.masks.scale);
    };
  }

  for (const { type, input, output, blocks } of plan(architecture).layers) {
    const [first, second] = blocks.map(views) as [BlockViews, BlockViews];
    if (type === 'dense') {
      if (below === null && standardization !== null) foldedBiases = new Float64Array(output.channels);
      const base = (below === null ? foldedBiases : null) ?? second.values;
      const layer = add(createDense(below, first, second, base, nextList()));
      if (dense.push(layer) > 1) hidden.push(layer);
      continue;
    }
    if (type === 'convolution') add(createConvolution(below!, input, output.channels, first, second));
    if (type === 'groupNorm') add(createGroupNorm(below!, output, first, second));
    if (type === 'maxPool') add(createMaxPool(below!, input, output));
    const isActivated = type === (architecture.norm === 'group' ? 'groupNorm' : 'convolution');
    if (isActivated) hidden.push(add(createActivation(below!, output, activation)));
  }
  return { network, activation, image, layers, dense, hidden, foldedBiases, source };
}

/** Call before the first pass, and again whenever the parameters have changed. */
export function prepare({ network, foldedBiases, dense }: ExamplePass): void {
  const { weights, biases } = dense[0]!;
  if (foldedBiases !== null) {
    foldBiases(foldedBiases, weights.values, biases.values, network.standardization!);
  }
}

/**
 * a_0 = x / 255, standardized if so configured; the output of each layer from the one below.
 * Returns the logits (classes). The next pass overwrites them.
 */
export function forwardExample(
  { network, image, layers, dense, source }: ExamplePass,
  pixels: Pixels,
  row: number,
  masks: DropoutMasks | null = null,
): Float64Array {
  source.pixels = pixels;
  source.offset = row * valueCount(network.architecture.inputShape);
  source.masks = masks;
  image?.read(pixels, source.offset);
  for (const layer of layers) layer.forward();
  return dense.at(-1)!.output;
}

/**
 * Adds the gradient of the example of the last forward pass, starting from the `dOutput` of the last layer.
 * The gradient with respect to the input is not needed and not computed.
 */
export function backwardExample({ layers }: ExamplePass): void {
  for (let l = layers.length - 1; l >= 0; l--) {
    layers[l]!.addGradient?.();
    if (l > 0) layers[l]!.backward();
  }
}

/** Call after the last example, once for the whole gradient. */
export function completeGradient({ network, foldedBiases, dense }: ExamplePass): void {
  const { weights, biases } = dense[0]!;
  if (foldedBiases !== null) {
    foldBiasesBackward(weights.gradient!, biases.gradient!, network.standardization!);
  }
}
