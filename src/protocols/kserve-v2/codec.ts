/** Codec of the Open Inference Protocol v2 (KServe, Triton), with and without binary tensors. */
import { FLOAT16_ROUNDING, FLOAT32_ROUNDING } from '../../images/batch.ts';
import type { Codec } from '../codec.ts';
import { assertFinite } from '../probabilities.ts';
import { fromTensor } from '../tensor-images.ts';
import { isFloating } from './datatypes.ts';
import { decodeInferRequest, type InferBody, type InferRequest } from './infer-request.ts';
import { encodeInferResponse } from './infer-response.ts';

export const kserveV2Codec: Codec<InferBody, Omit<InferRequest, 'input'>> = {
  decode(body, { architecture: { inputShape } }) {
    const request = decodeInferRequest(body, inputShape);
    const { datatype } = request.input;
    const batch = fromTensor(request.input, {
      image: inputShape,
      name: `Input image, ${datatype},`,
      scale: isFloating(datatype) ? '0-1' : '0-255',
      rounding: datatype === 'FP16' ? FLOAT16_ROUNDING : FLOAT32_ROUNDING,
      single: true,
      ...(isFloating(datatype) && { advice: 'Send pixels of 0 to 255 as UINT8, or divide them by 255.' }),
    });
    const { coverage } = request;
    const guarantee = coverage === null ? null : { coverage, calibrated: false };
    return { batch, responseFormat: request, guarantee };
  },

  encode(outputs, requested, model) {
    assertFinite(model, outputs.probabilities);
    return encodeInferResponse(requested, model.reference, model.classNames, outputs);
  },
};
