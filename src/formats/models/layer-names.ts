/** Assigns the tensors of a file to layers by the naming schemes of common libraries. */

import type { LayerTensors, Tensor } from '../arrays/tensor.ts';
import { quote, rejectModelFile } from './file-error.ts';
import { orderByShape } from './layer-order.ts';

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

export interface NamedLayers {
  readonly naming: Naming['id'];
  /** From the first hidden layer to the output. */
  readonly layers: readonly LayerTensors[];
}

/**
 * @param values of an image; undefined if the first layer decides
 * @throws AtelierError `invalid-model-file` naming what is missing, left over or ambiguous
 */
export function nameLayers(tensors: readonly Tensor[], values: number | undefined): NamedLayers {
  const naming = NAMINGS.find(({ pattern }) => tensors.some(({ name }) => pattern.test(name)));
  if (naming === undefined) {
    const found = tensors.length === 0 ? 'it has none' : `it has ${list(tensors.map((t) => t.name))}`;
    return rejectModelFile(
      `its arrays must be named W1, b1, W2, b2, …; coefs_0, intercepts_0, …; or 0.weight, 0.bias, …; ${found}`,
    );
  }
  const layers = groupByLayer(tensors, naming);
  const { id, first } = naming;
  return {
    naming: id,
    layers: first === null ? orderByShape(layers, values) : orderByNumber(layers, naming, first),
  };
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
