/** The architecture of a model version. */
import { type Architecture, layerSizes } from '../../numerics/network/architecture.ts';
import type { ModelVersion } from './representation.ts';

type Described = Pick<ModelVersion, 'inputShape' | 'convolutions' | 'norm' | 'layerSizes'>;

export function architectureOf({ inputShape, convolutions, norm, layerSizes }: Described): Architecture {
  const hidden = layerSizes.slice(1 + convolutions.length, -1);
  return { inputShape, convolutions, norm, hidden, classes: layerSizes.at(-1)! };
}

/** The fields by which a version describes its architecture. */
export const describeArchitecture = (architecture: Architecture): Described => ({
  inputShape: [...architecture.inputShape],
  convolutions: architecture.convolutions.map((stage) => [...stage]),
  norm: architecture.norm,
  layerSizes: layerSizes(architecture),
});
