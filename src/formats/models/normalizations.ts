/** Normalizations in a PyTorch state dict: which convolution each one follows, and of which kind it is. */
import type { Norm } from '../../numerics/network/architecture.ts';
import { isConvolution, type LayerTensors, type Normalization, type Tensor } from '../arrays/tensor.ts';
import { quote, rejectModelFile, showShape } from './file-error.ts';

const STATISTIC = /^(?<layer>.+)\.(?<kind>running_mean|running_var)$/s;
/** The default of torch.nn.BatchNorm2d, which a state dict does not hold. */
const EPSILON = 1e-5;

export const isStatistic = ({ name }: Tensor): boolean => STATISTIC.test(name);

const { compare } = new Intl.Collator('en', { numeric: true });

/**
 * Gives each convolution its normalization, if the file has any. Both are sorted by the numbers in their names, so features.0 and
 * features.1, or conv1 and bn1, belong together. Layers with weights of one dimension are normalizations.
 * @param statistics means and variances of batch normalization
 * @param norm the field of the request, `group` for group normalization
 * @throws AtelierError `invalid-model-file` if they do not fit together, or if groups of unknown size are not confirmed
 */
export function attachNormalizations(
  layers: ReadonlyMap<string, LayerTensors>,
  statistics: readonly Tensor[],
  norm: Norm | undefined,
): ReadonlyMap<string, LayerTensors> {
  const sorted = [...layers].toSorted(([a], [b]) => compare(a, b));
  const convolutions = sorted.filter(([, layer]) => isConvolution(layer));
  if (convolutions.length === 0 && statistics.length === 0) return layers;
  const scales = new Map(sorted.filter(([, { weights }]) => weights.shape.length === 1));
  const byLayer = Map.groupBy(statistics, ({ name }) => STATISTIC.exec(name)!.groups!['layer']!);
  const names = [...new Set([...scales.keys(), ...byLayer.keys()])].toSorted(compare);
  if (names.length > 0 && names.length !== convolutions.length)
    rejectModelFile(
      `it has ${names.length} normalizations, such as ${quote(names[0]!)}, but ${convolutions.length} convolutions; one after each convolution is allowed, and none after other layers`,
    );
  const normalized = new Map(layers);
  for (const name of names) normalized.delete(name);
  for (const [i, name] of names.entries()) {
    const [key, layer] = convolutions[i]!;
    const found = readNormalization(name, scales.get(name), byLayer.get(name) ?? []);
    if (found.statistics === null && norm !== 'group') {
      const { name: scale, shape } = found.scale!;
      rejectModelFile(
        `${quote(scale)} of shape ${showShape(shape)} belongs to a normalization of unknown groups; send the field norm=group if it is torch.nn.GroupNorm with groups of 4 channels, the only ones allowed`,
        undefined,
        'norm',
      );
    }
    normalized.set(key, { ...layer, norm: found });
  }
  return normalized;
}

function readNormalization(
  name: string,
  layer: LayerTensors | undefined,
  statistics: readonly Tensor[],
): Normalization {
  const [scale, shift] = [layer?.weights ?? null, layer?.biases ?? null];
  if (statistics.length === 0) return { scale, shift, statistics: null };
  const find = (kind: string) =>
    statistics.find((tensor) => tensor.name === `${name}.${kind}`) ??
    rejectModelFile(`${quote(`${name}.${kind}`)} is missing`);
  const [mean, variance] = [find('running_mean'), find('running_var')];
  return { scale, shift, statistics: { mean, variance, epsilon: EPSILON } };
}
