/** Forms that bring a model file, and what is said of it. */
import type { FastifyError, FastifyRequest } from 'fastify';
import { type ImportRequest, importRequestSchema } from '../../domain/model-import.ts';
import { AtelierError } from '../../errors.ts';
import { sha256Hex } from '../../store/blobs.ts';
import { validatorCompiler } from '../validation/zod-validator.ts';

const FILE = 'file';
const MAX_FIELDS = 32;
/** A hundred class names take less. */
const MAX_FIELD_BYTES = 64 * 1024;
export const LIMITS = { files: 1, fields: MAX_FIELDS, parts: MAX_FIELDS + 1, fieldSize: MAX_FIELD_BYTES };
const EXAMPLE = 'as in curl -F name=mine -F file=@model.npz';

export interface ModelUpload {
  readonly bytes: Buffer;
  /** `sha256:` of the bytes. */
  readonly digest: string;
  /** As they were sent: text by name. */
  readonly fields: Readonly<Record<string, string>>;
}

/** In a scope that reads forms. @throws AtelierError `malformed-body`, `body-too-large`, `invalid-request` */
export async function readModelUpload(request: FastifyRequest): Promise<ModelUpload> {
  const fields = new Map<string, string>();
  let bytes: Buffer | undefined;
  try {
    for await (const part of request.parts({ limits: LIMITS })) {
      // Its type has it that there always is one.
      if (!part.fieldname) throw new AtelierError('malformed-body', 'A part of the form has no name.');
      if (part.type === 'file') {
        if (part.fieldname !== FILE)
          throw invalidPart(part.fieldname, 'is a file; the one of the model is `file`');
        bytes = await part.toBuffer();
      } else {
        fields.set(part.fieldname, readField(part, fields));
      }
    }
  } catch (cause) {
    throw toFormError(cause);
  }
  if (bytes === undefined) throw invalidPart(FILE, `is missing; send it ${EXAMPLE}`);
  return { bytes, digest: await sha256Hex(bytes), fields: Object.fromEntries(fields) };
}

const validate = validatorCompiler({
  schema: importRequestSchema,
  method: 'POST',
  url: '',
  httpPart: 'body',
});

/** @throws AtelierError `invalid-request`, with a pointer to each field that is wrong */
export function parseFields(fields: ModelUpload['fields']): ImportRequest {
  const { value, error } = validate(fields) as { value?: ImportRequest; error?: Error };
  if (value !== undefined) return value;
  throw error;
}

function readField(
  { fieldname, value, valueTruncated }: { fieldname: string; value: unknown; valueTruncated: boolean },
  fields: ReadonlyMap<string, string>,
): string {
  if (fieldname === FILE) throw invalidPart(FILE, `is text; send a file, ${EXAMPLE}`);
  if (fields.has(fieldname)) throw invalidPart(fieldname, 'is given more than once');
  if (valueTruncated) throw invalidPart(fieldname, `has more than ${MAX_FIELD_BYTES} bytes`);
  // The plug-in parses what is declared as JSON.
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function invalidPart(field: string, detail: string): AtelierError {
  const name = field.length > 64 ? `${field.slice(0, 64)}…` : field;
  return new AtelierError('invalid-request', `The form does not fit. #/${name}: ${detail}.`, {
    details: [{ pointer: `#/${name}`, detail }],
  });
}

/** The parser under the plug-in throws errors of no kind for bytes that are not a form. */
function toFormError(error: unknown): unknown {
  const { code, message } = error as FastifyError;
  if (code === 'FST_FILES_LIMIT') {
    return new AtelierError('malformed-body', 'The form has more than one file; a model is one.');
  }
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return new AtelierError('malformed-body', `The form has more than ${MAX_FIELDS} fields.`);
  }
  if (code !== undefined) return error;
  return new AtelierError('malformed-body', `The form cannot be read: ${message}.`, { cause: error });
}
