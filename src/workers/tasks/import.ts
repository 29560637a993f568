/** Models out of files, checked before they are published. */
import { importModel } from '../../formats/import-model.ts';
import { rejectModelFile } from '../../formats/model-file-error.ts';
import { logitBound } from '../../numerics/logit-bound.ts';
import type { ImportResult, ImportTask } from '../messages.ts';

/** What a training uses by default, and scikit-learn. */
const DEFAULT_ACTIVATION = 'relu';
/** A tenth of the largest float32: sums of rounded numbers may come out a little larger. */
const MAX_NUMBER = 3e37;

/** @throws AtelierError `invalid-model-file` */
export function importChecked({ bytes, hints }: ImportTask): ImportResult {
  const imported = importModel(bytes, hints);
  const network = { ...imported, activation: imported.activation ?? DEFAULT_ACTIVATION };
  const bound = logitBound(network, imported.parameters);
  if (bound <= MAX_NUMBER) return network;
  return rejectModelFile(
    `with its weights the numbers of an image may reach ${bound.toPrecision(2)}, and float32 holds up to 3.4e+38 of which a tenth is taken`,
  );
}
