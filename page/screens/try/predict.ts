/** Requests of the screen: a prediction with the image that the network received, and its explanation. */
import type { Explanation } from '../../../src/domain/predictions/explanation.ts';
import type { FitMode } from '../../../src/domain/predictions/preprocessing.ts';
import type { Prediction, Predictions } from '../../../src/protocols/native/schema.ts';
import { requestJson, send } from '../../api/client.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { Picture } from '../../components/picture.ts';
import { fromRows, toRows } from './picture.ts';

/** An image to predict: a picture, or a file that the service decodes. */
export interface TriedImage {
  /** Null for a file, and as long as nothing is drawn or chosen. */
  readonly picture: Picture | null;
  readonly file: File | null;
  /** Where it came from, if it was not drawn. */
  readonly origin: { readonly text: string; readonly className?: string } | null;
}

export interface PredictionKey {
  readonly image: TriedImage;
  /** A name, `name@version`, or `job_…@step` for a checkpoint. */
  readonly model: string;
  /** For files; null as the model says. */
  readonly fit: FitMode | null;
  /** Fraction of images whose classes shall contain the true one; null without a guarantee. */
  readonly coverage: number | null;
}

export interface Predicted {
  readonly prediction: Prediction;
  readonly model: Predictions['model'];
  readonly calibration: Predictions['calibration'];
  readonly image: TriedImage;
  /** The image that the network received, after resizing and inversion. */
  readonly picture: Picture;
  /** Why there is no diagnosis; null if there is one. */
  readonly undiagnosed: string | null;
}

/** Reasons of the API why a model has no diagnosis, by path. */
const undiagnosable = new Map<string, string>();

export async function predict(
  { image, model, fit, coverage }: PredictionKey,
  signal: AbortSignal,
): Promise<Predicted> {
  const type = image.file === null ? null : imageType(image.file);
  const path = `${modelPath(model)}/predictions`;
  const ask = (isDiagnosed: boolean): Promise<Predictions> => {
    const query =
      `topK=100&input=true${isDiagnosed ? '&diagnose=true' : ''}` +
      (coverage === null ? '' : `&coverage=${coverage}`);
    if (type === null) {
      // Without a scale, an image without a pixel above 1 would be taken for one of 0 to 1.
      return send(`${path}?${query}&pixels=0-255`, { image: toRows(image.picture!) }, { signal });
    }
    // Arrays have the size of the network already.
    const fitted = fit === null || !type.startsWith('image/') ? '' : `&fit=${fit}`;
    return requestJson(`${path}?${query}${fitted}`, {
      method: 'POST',
      headers: { 'content-type': type },
      file: image.file!,
      signal,
    });
  };
  const response = await ask(!undiagnosable.has(path)).catch((error) => {
    if (!(error instanceof ApiProblem) || error.errors[0]?.parameter !== 'diagnose') throw error;
    undiagnosable.set(path, error.message.replace(' Omit ?diagnose.', ''));
    return ask(false);
  });
  const prediction = response.predictions[0]!;
  return {
    prediction,
    model: response.model,
    calibration: response.calibration,
    image,
    picture: fromRows(prediction.input!),
    undiagnosed: undiagnosable.get(path) ?? null,
  };
}

function modelPath(model: string): string {
  const [name = '', version] = model.split('@').map(encodeURIComponent);
  if (version === undefined) return `/v1/models/${name}`;
  return name.startsWith('job_')
    ? `/v1/training-jobs/${name}/checkpoints/${version}`
    : `/v1/models/${name}/versions/${version}`;
}

/** @throws ApiProblem for a file of another kind: the service might read it as a request */
function imageType({ name, type }: File): string {
  if (name.endsWith('.npy')) return 'application/x-npy';
  if (type === '') return 'application/octet-stream';
  if (type.startsWith('image/')) return type;
  throw new ApiProblem({
    title: 'Not an image',
    status: 0,
    detail: `${name} is not an image. Choose a PNG, JPEG or WebP file.`,
    code: 'unsupported-media-type',
    requestId: '',
  });
}

export interface ExplanationKey {
  readonly predicted: Predicted;
  /** Null: the most probable class. */
  readonly label: number | null;
}

/** The request of an explanation, for the class that is chosen. */
export const explanationRequest = ({ predicted: { model, picture }, label }: ExplanationKey) => ({
  method: 'POST',
  path:
    `/v1/models/${encodeURIComponent(model.name)}/versions/${model.version}/explanations?pixels=0-255` +
    (label === null ? '' : `&label=${label}`),
  body: { image: toRows(picture) },
});

export function explain(key: ExplanationKey, signal: AbortSignal): Promise<Explanation> {
  const { path, ...options } = explanationRequest(key);
  return requestJson(path, { ...options, signal, isRecorded: false });
}
