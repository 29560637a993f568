/** Upload of a model: a form with one file and the fields that describe it. */
import type { FastifyRequest } from 'fastify';
import { type ImportRequest, importRequestSchema } from '../../domain/models/import.ts';
import { AtelierError } from '../../errors.ts';
import { NPY_SIGNATURE } from '../../formats/arrays/npy-header.ts';
import { sha256Hex } from '../../store/blobs/content-addressed.ts';
import { parseBody } from '../validation/zod-validator.ts';
import { type FormOptions, invalidPart, MODEL_FORM_LIMITS, readForm } from './multipart.ts';

const NPY = Buffer.from(NPY_SIGNATURE, 'latin1');
const FILE = 'file';
const EXAMPLE = 'as in curl -F name=mine -F file=@model.npz';

export interface ModelUpload {
  readonly bytes: Buffer;
  /** `sha256:` and the digest of the bytes. */
  readonly digest: string;
  /** The fields as sent. */
  readonly fields: Readonly<Record<string, string>>;
  readonly request: ImportRequest;
}

/** @throws AtelierError `malformed-body`, `body-too-large`, `invalid-request` */
export async function readModelUpload(request: FastifyRequest, maxBytes: number): Promise<ModelUpload> {
  const options: FormOptions = {
    limits: MODEL_FORM_LIMITS,
    meaningfulEmpty: 'hidden',
    maxBytes,
    tooLarge: `The file is larger than the limit of ${maxBytes} bytes.`,
    tooManyFiles: () =>
      new AtelierError('malformed-body', 'The form has more than one file. Send one model at a time.'),
  };
  const fields: Record<string, string> = {};
  let bytes: Buffer | undefined;
  for await (const part of readForm(request, options)) {
    if (part.kind === 'file') {
      if (part.name !== FILE) throw invalidPart(part.name, 'Must not be a file; send the model as `file`.');
      bytes = Buffer.concat(await Array.fromAsync(part.chunks));
    } else {
      if (part.name === FILE) throw invalidPart(FILE, `Must be a file, ${EXAMPLE}.`);
      fields[part.name] = part.value;
    }
  }
  // A packed vector does not contain its layer sizes, so that an empty list means no hidden layers. Other files do.
  if (fields['hidden'] === '' && !bytes?.subarray(0, NPY_SIGNATURE.length).equals(NPY))
    delete fields['hidden'];
  if (bytes === undefined) throw invalidPart(FILE, `Is required. Send it ${EXAMPLE}.`);
  const digest = await sha256Hex(bytes);
  return { bytes, digest, fields, request: parseBody(importRequestSchema, fields) };
}
