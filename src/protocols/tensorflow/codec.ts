/**
 * Codec of TensorFlow Serving's predict API.
 * https://www.tensorflow.org/tfx/serving/api_rest#predict_api
 */
import type { Fit } from '../../domain/predictions/image-query.ts';
import { readJson, rejectAt } from '../../formats/json/limits.ts';
import type { Codec } from '../codec.ts';
import { fromColumn, fromRows } from '../instances.ts';
import { assertFinite, matrixRows, toArray } from '../probabilities.ts';
import { predictRequestSchema } from './schema.ts';

interface TensorflowBody {
  readonly bytes: Uint8Array;
  readonly fit?: Fit;
}

/** `row` for `instances` → `predictions`, `column` for `inputs` → `outputs`. */
type TensorflowFormat = 'row' | 'column';

export const tensorflowCodec: Codec<TensorflowBody, TensorflowFormat> = {
  decode({ bytes, fit }, { architecture: { inputShape } }) {
    const options = { image: inputShape, fit };
    const { instances, inputs } = readJson(bytes, predictRequestSchema);
    if ((instances === undefined) === (inputs === undefined)) {
      rejectAt('#', 'must have either instances or inputs');
    }
    return instances === undefined
      ? { ...fromColumn(inputs, '#/inputs', options), responseFormat: 'column' }
      : { ...fromRows(instances, '#/instances', options), responseFormat: 'row' };
  },

  encode({ probabilities }, format, model) {
    assertFinite(model, probabilities);
    const rows = matrixRows(probabilities, model.classNames.length).map(toArray);
    const body = JSON.stringify(format === 'row' ? { predictions: rows } : { outputs: rows });
    return { body, jsonBytes: null };
  },
};
