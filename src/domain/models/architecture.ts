/** The architecture of a model version. */
import { type Architecture, fullyConnected } from '../../numerics/network/architecture.ts';
import type { ModelVersion } from './representation.ts';

export const architectureOf = ({
  inputShape,
  layerSizes,
}: Pick<ModelVersion, 'inputShape' | 'layerSizes'>): Architecture =>
  fullyConnected(inputShape, layerSizes.slice(1));
