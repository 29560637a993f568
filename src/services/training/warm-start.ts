/** Warm start: resolves the model version that a training starts from. */

import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../../domain/datasets/representation.ts';
import { showImageShape } from '../../domain/image-shape.ts';
import { DEFAULT_HIDDEN, type TrainingRequest } from '../../domain/jobs/request.ts';
import { parseModelReference } from '../../domain/models/reference.ts';
import { AtelierError, type ErrorDetail } from '../../errors.ts';
import { architectureText } from '../../numerics/network/architecture.ts';
import { isSameShape } from '../../numerics/network/image-shape.ts';
import type { ModelService } from '../models/catalog.ts';
import { loadNamed } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import { architectureFor, type InitialState } from './plan.ts';

/**
 * Returns null if the request has no warm start.
 * @throws AtelierError `unknown-model`; `impossible-request` if the model's network differs from the request
 */
export async function resolveWarmStart(
  { warmStart, network, training }: Pick<TrainingRequest, 'warmStart' | 'network' | 'training'>,
  dataset: Dataset,
  models: ModelService,
): Promise<(InitialState & { readonly reference: { name: string; version: number } }) | null> {
  if (warmStart === null) return null;
  const { name, version } = parseModelReference(warmStart);
  const model = await loadNamed(models, '#/warmStart', name, version);
  const details = differences(model, { network, training }, dataset);
  if (details.length > 0) {
    const all = details.map(({ detail }) => detail).join('; ');
    throw new AtelierError(
      'impossible-request',
      `The training cannot start from model ${name}: ${all}. Layers, norm, activation and standardize must equal the model's; ` +
        'omitted fields have their defaults.',
      { details },
    );
  }
  return { ...model, reference: model.reference };
}

function differences(
  model: Pick<LoadedModel, 'architecture' | 'activation' | 'standardization'>,
  { network, training }: Pick<TrainingRequest, 'network' | 'training'>,
  dataset: Dataset,
): ErrorDetail[] {
  const details: ErrorDetail[] = [];
  const differs = (pointer: string, detail: string) => details.push({ pointer, detail });
  const { inputShape } = model.architecture;
  if (!isSameShape(inputShape, dataset.imageShape)) {
    const [takes, has] = [showImageShape(inputShape), showImageShape(dataset.imageShape)];
    differs('#/dataset', `it takes images of ${takes}, but those of data set ${dataset.id} are ${has}`);
    return details;
  }
  const [found, wanted] = [model.architecture, architectureFor(network, dataset)];
  if (found.norm !== wanted.norm)
    differs('#/network/norm', `its norm is ${found.norm}, but the request has ${wanted.norm}`);
  if (architectureText(found) !== architectureText(wanted)) {
    const isDefault = String(network.hidden) === String(DEFAULT_HIDDEN) ? ', the default' : '';
    const sameStages = isDeepStrictEqual(found.convolutions, wanted.convolutions);
    differs(
      `#/network/${sameStages ? 'hidden' : 'convolutions'}`,
      `it is a ${architectureText(found)} network, but the request has ${architectureText(wanted)}${isDefault}`,
    );
  }
  if (model.activation !== network.activation) {
    const requested = `the request has ${network.activation}`;
    differs('#/network/activation', `its activation is ${model.activation}, but ${requested}`);
  }
  if ((model.standardization !== null) !== training.standardize) {
    const was = model.standardization === null ? 'not standardized' : 'standardized';
    const requested = `standardize is ${training.standardize} in the request`;
    differs('#/training/standardize', `it was trained on pixels that were ${was}, but ${requested}`);
  }
  return details;
}
