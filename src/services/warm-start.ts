/** The model version that a training starts from. */
import type { Dataset } from '../domain/dataset.ts';
import { parseModelReference } from '../domain/model.ts';
import type { TrainingJobRequest } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import type { ModelService } from './find-model.ts';
import { loadNamed } from './find-model.ts';
import { layerSizesOf, type Start } from './training-plan.ts';

/**
 * null where the request names none.
 * @throws AtelierError `unknown-model`; `impossible-request` where it is not the network that is asked for
 */
export async function findStart(
  { warmStart, network, training }: TrainingJobRequest,
  dataset: Dataset,
  models: ModelService,
): Promise<(Start & { readonly reference: { name: string; version: number } }) | null> {
  if (warmStart === null) return null;
  const { name, version } = parseModelReference(warmStart);
  const model = await loadNamed(models, '#/warmStart', name, version);
  const wanted = layerSizesOf(network.hidden, dataset).join('-');
  const found = model.layerSizes.join('-');
  const refuse = (pointer: string, detail: string) => {
    throw new AtelierError('impossible-request', `Model ${name} cannot be started from: ${detail}.`, {
      details: [{ pointer, detail }],
    });
  };
  if (found !== wanted) refuse('#/network/hidden', `it is a ${found} network, and ${wanted} is asked for`);
  if (model.activation !== network.activation) {
    refuse(
      '#/network/activation',
      `its activation is ${model.activation}, and ${network.activation} is asked for`,
    );
  }
  if ((model.standardization !== null) !== training.standardize) {
    const was = model.standardization === null ? 'not standardised' : 'standardised';
    refuse(
      '#/training/standardize',
      `it was trained on pixels that were ${was}; standardize must say the same`,
    );
  }
  return { ...model, reference: model.reference };
}
