/** Assigns the tensors of a file to layers by the naming schemes of common libraries. */

import { channelsLast, type RequestedShape, squareShape } from '../../domain/image-shape.ts';
import type { Norm } from '../../numerics/network/architecture.ts';
import { channelCount, valueCount } from '../../numerics/network/image-shape.ts';
import { isConvolution, type LayerTensors, type Tensor } from '../arrays/tensor.ts';
import { quote, rejectModelFile } from './file-error.ts';
import { orderByShape } from './layer-order.ts';
import { attachNormalizations, isStatistic } from './normalizations.ts';

interface Naming {
  readonly id: 'atelier' | 'sklearn' | 'pytorch';
  /** Has the named groups `kind` and `layer` (a number or a path). */
  readonly pattern: RegExp;
  /** The `kind` of a layer's weights; any other kind means its biases. */
  readonly weights: string;
  /** Weights are (inputs, units) instead of (units, inputs). */
  readonly transposed: boolean;
  /** Names of a layer's weights and biases in error messages. */
  readonly names: (layer: string) => readonly [weights: string, biases: string];
  /** Number of the first layer; null if layers have paths instead of numbers. */
  readonly first: number | null;
  /** Whether every layer of such a file has biases. */
  readonly hasBiases: boolean;
}

const NAMINGS: readonly Naming[] = [
  {
    id: 'atelier',
    pattern: /^(?<kind>[Wb])(?<layer>[1-9]\d?)$/,
    weights: 'W',
    transposed: false,
    names: (layer) => [`W${layer}`, `b${layer}`],
    first: 1,
    hasBiases: false,
  },
  {
    // Matches names such as coefs_0, and names formed from the attribute coefs_ itself: coefs_.0, coefs__0.
    id: 'sklearn',
    pattern: /^(?<kind>coefs|intercepts)_?[._]?(?<layer>0|[1-9]\d?)$/,
    weights: 'coefs',
    transposed: true,
    names: (layer) => [`coefs_${layer}`, `intercepts_${layer}`],
    first: 0,
    hasBiases: true,
  },
  {
    id: 'pytorch',
    pattern: /^(?<layer>.+)\.(?<kind>weight|bias)$/s,
    weights: 'weight',
    transposed: false,
    names: (layer) => [`${layer}.weight`, `${layer}.bias`],
    first: null,
    hasBiases: false,
  },
];

/** The same scheme for the convolutions of an export and for their group normalization, which have numbers of their own. */
const [KERNELS, NORMS] = [
  ['K', 'c'],
  ['gamma', 'beta'],
].map(
  ([weights, biases]): Naming => ({
    ...NAMINGS[0]!,
    pattern: new RegExp(`^(?<kind>${weights}|${biases})(?<layer>[1-9]\\d?)$`),
    weights: weights!,
    names: (layer) => [`${weights}${layer}`, `${biases}${layer}`],
  }),
) as [Naming, Naming];

export interface NamedLayers {
  readonly naming: Naming['id'];
  /** Convolutions, then fully connected layers, to the output. */
  readonly layers: readonly LayerTensors[];
}

/**
 * @param given shape of the images; auto if the first layer decides
 * @param norm the field of the request: whether normalizations without means and variances are group normalization
 * @throws AtelierError `invalid-model-file` naming what is missing, left over or ambiguous
 */
export function nameLayers(
  tensors: readonly Tensor[],
  given: RequestedShape,
  norm: Norm | undefined,
): NamedLayers {
  const naming = [...NAMINGS, KERNELS].find(({ pattern }) => tensors.some(({ name }) => pattern.test(name)));
  if (naming === undefined) {
    const found = tensors.length === 0 ? 'it has none' : `it has ${list(tensors.map((t) => t.name))}`;
    return rejectModelFile(
      `its arrays must be named W1, b1, W2, b2, …, and those of convolutions K1, c1, …; coefs_0, intercepts_0, …; or 0.weight, 0.bias, …; ${found}`,
    );
  }
  const { id, first } = naming;
  if (id === 'pytorch') return { naming: id, layers: orderStateDict(tensors, naming, given, norm) };
  if (id === 'sklearn')
    return { naming: id, layers: orderByNumber(groupByLayer(tensors, naming), naming, first!) };
  const others = tensors.filter(({ name }) => !KERNELS.pattern.test(name) && !NORMS.pattern.test(name));
  const read = (part: Naming, own = tensors.filter(({ name }) => part.pattern.test(name))) =>
    orderByNumber(groupByLayer(own, part), part, 1);
  const [kernels, norms, dense] = [read(KERNELS), read(NORMS), read(NAMINGS[0]!, others)];
  if (dense.length === 0)
    rejectModelFile('it has no fully connected layer after its convolutions: "W1" is missing');
  if (norms.length > 0 && norms.length !== kernels.length)
    rejectModelFile(`it has ${norms.length} normalizations, but ${kernels.length} convolutions`);
  const normalized = kernels.map((layer, i) => {
    const { weights: scale, biases: shift } = norms[i] ?? {};
    return scale ? { ...layer, norm: { scale, shift: shift ?? null, statistics: null } } : layer;
  });
  return { naming: id, layers: [...normalized, ...dense] };
}

function orderStateDict(
  tensors: readonly Tensor[],
  naming: Naming,
  given: RequestedShape,
  norm: Norm | undefined,
): LayerTensors[] {
  const layers = groupByLayer(
    tensors.filter((tensor) => !isStatistic(tensor)),
    naming,
  );
  const normalized = attachNormalizations(layers, tensors.filter(isStatistic), norm);
  const shape = given === 'auto' ? null : channelsLast(given);
  const [kernels = [], dense = []] = [true, false].map((isKernel) =>
    [...normalized].filter(([, layer]) => isConvolution(layer) === isKernel),
  );
  if (kernels.length === 0)
    return orderByShape(normalized, (inputs) =>
      shape ? inputs === valueCount(shape) : squareShape(inputs) !== undefined,
    );
  const convolutions = orderByShape(new Map(kernels), (inputs) =>
    shape ? inputs === channelCount(shape) : inputs === 1 || inputs === 3,
  );
  const channels = convolutions.at(-1)!.weights.shape[0]!;
  return [...convolutions, ...orderByShape(new Map(dense), (inputs) => inputs % channels === 0)];
}

function groupByLayer(
  tensors: readonly Tensor[],
  { pattern, weights, names, transposed, hasBiases }: Naming,
): Map<string, LayerTensors> {
  const found = new Map<string, Tensor>();
  const layers = new Set<string>();
  for (const tensor of tensors) {
    const parts = pattern.exec(tensor.name)?.groups;
    const [forWeights, forBiases] = names('1');
    if (parts === undefined) {
      return rejectModelFile(
        `${quote(tensor.name)} is not a name like ${quote(forWeights)} and ${quote(forBiases)}`,
      );
    }
    const name = names(parts['layer']!)[parts['kind'] === weights ? 0 : 1];
    if (found.has(name))
      rejectModelFile(`it has both ${quote(found.get(name)!.name)} and ${quote(tensor.name)}`);
    found.set(name, tensor);
    layers.add(parts['layer']!);
  }
  const required = (name: string) => found.get(name) ?? rejectModelFile(`${quote(name)} is missing`);
  return new Map(
    [...layers].map((layer) => {
      const [forWeights, forBiases] = names(layer);
      const biases = hasBiases ? required(forBiases) : (found.get(forBiases) ?? null);
      return [layer, { weights: required(forWeights), biases, transposed }];
    }),
  );
}

function orderByNumber(
  layers: ReadonlyMap<string, LayerTensors>,
  { names }: Naming,
  first: number,
): LayerTensors[] {
  return Array.from({ length: layers.size }, (_, i) => {
    const layer = String(first + i);
    return layers.get(layer) ?? rejectModelFile(`${quote(names(layer)[0])} is missing`);
  });
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(quote).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
