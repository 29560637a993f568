/** The Open Inference Protocol v2. */
import { FLOAT16_ROUNDING, FLOAT32_ROUNDING } from '../../datasets/image-batch.ts';
import { assertFinite, type DecodedRequest } from '../compute-response.ts';
import { fromTensor } from '../tensor-images.ts';
import { isFloating } from './datatypes.ts';
import { decodeInferRequest, type InferBody } from './infer-request.ts';
import { encodeInferResponse } from './infer-response.ts';

/** @throws AtelierError `malformed-body`, `invalid-request`, `invalid-image-size`, `invalid-pixels` */
export function readV2(body: InferBody): DecodedRequest {
  const request = decodeInferRequest(body);
  const { datatype } = request.input;
  const batch = fromTensor(request.input, {
    name: `Input image, ${datatype},`,
    scale: isFloating(datatype) ? '0-1' : '0-255',
    rounding: datatype === 'FP16' ? FLOAT16_ROUNDING : FLOAT32_ROUNDING,
    single: true,
    ...(isFloating(datatype) && { advice: 'Send pixels of 0 to 255 as UINT8, or divide them by 255.' }),
  });
  return {
    batch,
    write(network, { probabilities }) {
      assertFinite(network, probabilities);
      return encodeInferResponse(request, network.reference, network.classNames, probabilities);
    },
  };
}
