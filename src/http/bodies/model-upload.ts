/** Upload of a model: a form with one file and the fields that describe it. */
import type { FastifyRequest } from 'fastify';
import { type ImportRequest, importRequestSchema } from '../../domain/models/import.ts';
import { NPY_SIGNATURE } from '../../formats/arrays/npy-header.ts';
import { sha256Hex } from '../../store/blobs/content-addressed.ts';
import { parseBody } from '../validation/zod-validator.ts';
import { readFileForm } from './file-form.ts';

const NPY = Buffer.from(NPY_SIGNATURE, 'latin1');

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
  const { bytes, fields } = await readFileForm(request, {
    file: 'file',
    example: 'curl -F name=mine -F file=@model.npz',
    maxBytes,
    meaningfulEmpty: 'hidden',
  });
  // A packed vector does not contain its layer sizes, so that an empty list means no hidden layers. Other files do.
  if (fields['hidden'] === '' && !bytes.subarray(0, NPY_SIGNATURE.length).equals(NPY))
    delete fields['hidden'];
  const digest = await sha256Hex(bytes);
  return { bytes, digest, fields, request: parseBody(importRequestSchema, fields) };
}
