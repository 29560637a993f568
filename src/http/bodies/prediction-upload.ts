/** Upload of images for a prediction job: a form whose file is written to disk as it arrives. */
import type { FastifyRequest } from 'fastify';
import type { ImageFile } from '../../datasets/upload/arrays/prediction-file.ts';
import { type PredictionFields, predictionFieldsSchema } from '../../domain/predictions/job.ts';
import { parseBody } from '../validation/zod-validator.ts';
import { receiveFile } from './dataset-upload.ts';
import { DATASET_FORM_LIMITS, type FormOptions, invalidPart, malformedForm, readForm } from './multipart.ts';

const FILE = 'file';

export interface PredictionUpload {
  readonly fields: PredictionFields;
  readonly file: ImageFile & { readonly digest: string };
}

/**
 * Calls `use` with the upload, and deletes its file with `discard`, also after an error.
 * @throws AtelierError `malformed-body`, `invalid-request`, `body-too-large`, `storage-full`, and the errors of `use`
 */
export async function withPredictionUpload<T>(
  request: FastifyRequest,
  { newFile, discard }: { newFile: () => string; discard: (file: string) => Promise<void> },
  maxBytes: number,
  use: (upload: PredictionUpload) => Promise<T>,
): Promise<T> {
  const options: FormOptions = {
    limits: DATASET_FORM_LIMITS,
    maxBytes,
    tooLarge: `The file is larger than the limit MAX_DATASET_BYTES, ${maxBytes} bytes.`,
    tooManyFiles: () => malformedForm('it has more than one file'),
  };
  const path = newFile();
  try {
    const fields: Record<string, string> = {};
    let received: { bytes: number; digest: string } | undefined;
    for await (const part of readForm(request, options)) {
      const { name } = part;
      if (part.kind === 'field') {
        if (name === FILE) throw invalidPart(name, 'Must be a file, as in curl -F file=@images.npy.');
        fields[name] = part.value;
        continue;
      }
      if (name !== FILE) throw invalidPart(name, 'Must be text; the only file is `file`.');
      received = await receiveFile(part, path, 'the file of images');
    }
    if (!received) throw malformedForm('it has no file. Send one, as in curl -F file=@images.npy');
    const parsed = parseBody(predictionFieldsSchema, fields);
    return await use({ fields: parsed, file: { path, pixels: parsed.pixels, ...received } });
  } finally {
    await discard(path);
  }
}
