/** Imports: reads a model from a file and checks its parameters before it is published. */

import { rejectModelFile } from '../../formats/models/file-error.ts';
import type { ImportedModel, ImportHints } from '../../formats/models/import.ts';
import { importModel } from '../../formats/models/import.ts';
import type { Activation } from '../../numerics/network/activations.ts';
import { logitBound } from '../../numerics/network/logit-bound.ts';

export interface ImportTask {
  readonly bytes: Uint8Array;
  readonly hints: ImportHints;
}

export interface ImportResult extends ImportedModel {
  readonly activation: Activation;
}

/** The default of training requests and of scikit-learn. */
const DEFAULT_ACTIVATION = 'relu';
/** A tenth of the largest float32, because sums of rounded numbers can exceed the bound slightly. */
const MAX_LOGIT = 3e37;

/** @throws AtelierError `invalid-model-file` */
export function importChecked({ bytes, hints }: ImportTask): ImportResult {
  const imported = importModel(bytes, hints);
  const network = { ...imported, activation: imported.activation ?? DEFAULT_ACTIVATION };
  const bound = logitBound(network, imported.parameters);
  if (bound <= MAX_LOGIT) return network;
  return rejectModelFile(
    `its weights allow logits up to ${bound.toPrecision(2)}, above 3e+37, a tenth of the largest float32`,
  );
}
