/** Bodies of every protocol → images, and how their answer is written. */
import { decodeImages } from '../../datasets/decode-images.ts';
import { describePredictions } from '../../domain/prediction.ts';
import { npyBytes } from '../../formats/npy.ts';
import type { NativeRequest, PredictRequest } from '../../workers/messages.ts';
import type { DecodedRequest } from '../compute-response.ts';
import { readV2 } from '../kserve-v2/codec.ts';
import { readMlflow } from '../mlflow/codec.ts';
import { readTensorflow } from '../tensorflow/codec.ts';
import { diagnoseImages } from './diagnose-images.ts';

/** @throws AtelierError what is wrong with the body */
export function decodeRequest(request: PredictRequest): DecodedRequest | Promise<DecodedRequest> {
  switch (request.protocol) {
    case 'own':
      return decodeNative(request);
    case 'v2':
      return readV2(request);
    case 'tensorflow':
      return readTensorflow(request.bytes);
    case 'mlflow':
      return readMlflow(request);
  }
}

/** JSON text, or the (n, classes) float32 matrix of probabilities as npy. */
function decodeNative({ images, options, format, diagnosing }: NativeRequest): DecodedRequest {
  const batch = decodeImages(images);
  const diagnoses = diagnosing && diagnoseImages(images, batch, diagnosing);
  return {
    batch,
    write({ reference, classNames }, { probabilities, logits }) {
      const body =
        format === 'npy'
          ? npyBytes(probabilities, [batch.count, classNames.length])
          : JSON.stringify(
              describePredictions(reference, classNames, probabilities, logits, options, diagnoses),
            );
      return { body, jsonBytes: null };
    },
  };
}
