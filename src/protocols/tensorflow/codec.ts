/** TensorFlow Serving's predict API. https://www.tensorflow.org/tfx/serving/api_rest#predict_api */

import { matrixRows, toArray } from '../../domain/prediction.ts';
import { readJson, refuseAt } from '../../formats/json-bounds.ts';
import { assertFinite, type DecodedRequest } from '../compute-response.ts';
import { fromColumn, fromRows } from '../instances.ts';
import { predictRequestSchema } from './schema.ts';

/** @throws AtelierError `malformed-body`, `invalid-request`, and what is wrong with the images */
export async function readTensorflow(bytes: Uint8Array): Promise<DecodedRequest> {
  const { instances, inputs } = readJson(bytes, predictRequestSchema);
  if ((instances === undefined) === (inputs === undefined)) {
    refuseAt('#', 'has to have either instances or inputs');
  }
  const byRow = instances !== undefined;
  const batch = byRow ? await fromRows(instances, '#/instances') : await fromColumn(inputs, '#/inputs');
  return {
    batch,
    write(network, { probabilities }) {
      assertFinite(network, probabilities);
      const rows = matrixRows(probabilities, network.classNames.length).map(toArray);
      return { body: JSON.stringify(byRow ? { predictions: rows } : { outputs: rows }), jsonBytes: null };
    },
  };
}
