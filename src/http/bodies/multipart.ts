/** Multipart forms: one reader, with limits and errors, for images, data sets and models. */
import multipart, { type Multipart, type MultipartFile, type MultipartValue } from '@fastify/multipart';
import { errorCodes, type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { parseMediaType } from './raw.ts';

export interface FormLimits {
  readonly files: number;
  /** Parts that are not files. */
  readonly fields: number;
  readonly fieldBytes: number;
}

/** Fields are allowed as long as they are empty. */
export const IMAGE_FORM_LIMITS: FormLimits = { files: 1000, fields: 16, fieldBytes: 1024 };
/** The longest field is a list of a hundred class names. */
export const MODEL_FORM_LIMITS: FormLimits = { files: 1, fields: 32, fieldBytes: 64 * 1024 };
/** More than any valid form has, so that unknown and repeated parts are rejected by name. */
export const DATASET_FORM_LIMITS: FormLimits = { files: 16, fields: 16, fieldBytes: 64 * 1024 };
export const MAX_PART_NAME_BYTES = 64;
/** Allowance for fields and the headers of parts, in addition to the files. */
const MAX_FORM_OVERHEAD_BYTES = 2 ** 20;

export interface FormOptions {
  readonly limits: FormLimits;
  /** Whether several parts may have the same name. */
  readonly allowRepeated?: boolean;
  /** Name of the field, if any, whose empty value differs from its absence. */
  readonly meaningfulEmpty?: string;
  /** Size limit of all files together. */
  readonly maxBytes: number;
  readonly tooLarge: () => AtelierError;
  readonly tooManyFiles: () => AtelierError;
}

export interface FormField {
  readonly kind: 'field';
  readonly name: string;
  readonly value: string;
}
export interface FormFile {
  readonly kind: 'file';
  readonly name: string;
  /** The name of the part if the client gives none. */
  readonly filename: string;
  /** The media type that the client declared. */
  readonly type: string;
  /** The content, in chunks; must be consumed before the next part is read. */
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * Registers the parser without the plugin's hooks: they delete files that it has saved to disk, which nothing here asks
 * for, and being asynchronous they delay every request of the scope, forms or not.
 * @param maxBytes size limit of a file
 */
export function registerMultipart(scope: FastifyInstance, maxBytes: number): void {
  const withoutHooks: FastifyInstance = Object.create(scope, { addHook: { value: () => scope } });
  multipart(withoutHooks, { throwFileSizeLimit: true, limits: { fileSize: maxBytes } }, () => {});
}

/** Rejects other bodies by their headers, in scopes whose parsers accept them for other routes. */
export function requireMultipart(scope: FastifyInstance): void {
  scope.addHook('onRequest', ({ headers }, _reply, done) => {
    const type = parseMediaType(headers['content-type']);
    done(type === 'multipart/form-data' ? undefined : new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(type));
  });
}

/**
 * Reads the parts of a form in the order in which they arrive. Empty fields and file inputs are skipped, because HTML
 * forms and the page /docs send all that are left empty.
 * @throws AtelierError `malformed-body`, `invalid-request`, and the errors that `options` create
 */
export async function* readForm(
  request: FastifyRequest,
  options: FormOptions,
): AsyncGenerator<FormField | FormFile> {
  const { limits, maxBytes, tooLarge } = options;
  const { files, fields, fieldBytes } = limits;
  // Before anything is read.
  if (Number(request.headers['content-length']) > maxBytes + MAX_FORM_OVERHEAD_BYTES) throw tooLarge();
  const names = new Set<string>();
  let bytes = 0;

  async function* countedChunks(part: MultipartFile): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of part.file as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge();
        yield chunk;
      }
    } catch (error) {
      throw toFormError(error, options);
    }
  }

  /** null for a file input without a file: browsers send it without a name and without bytes. */
  async function openFile(part: MultipartFile, name: string): Promise<FormFile | null> {
    const { filename, mimetype: type } = part;
    const chunks = countedChunks(part);
    if (filename) return { kind: 'file', name, filename, type, chunks };
    const first = await chunks.next();
    return first.done
      ? null
      : { kind: 'file', name, filename: name, type, chunks: prepend(first.value, chunks) };
  }

  /** null for an empty field. */
  function readField({ value, valueTruncated }: MultipartValue, name: string): FormField | null {
    if (value === '' && name !== options.meaningfulEmpty) return null;
    if (valueTruncated) throw invalidPart(name, `Must be at most ${fieldBytes} bytes long.`);
    // The plugin has already parsed fields that are declared as JSON.
    return { kind: 'field', name, value: typeof value === 'string' ? value : JSON.stringify(value) };
  }

  const parts = request.parts({
    limits: {
      files,
      fields,
      parts: files + fields,
      fieldSize: fieldBytes,
      fieldNameSize: MAX_PART_NAME_BYTES,
    },
  });
  try {
    for await (const part of parts) {
      const name = nameOfPart(part);
      const read = part.type === 'file' ? await openFile(part, name) : readField(part, name);
      if (read === null) continue;
      if (!options.allowRepeated && names.has(name)) throw invalidPart(name, 'Is given more than once.');
      names.add(name);
      yield read;
    }
  } catch (error) {
    throw toFormError(error, options);
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

function nameOfPart({ fieldname }: Multipart): string {
  // The plugin's type requires a name, its parser does not.
  if (!fieldname) throw malformedForm('a part has no name');
  return fieldname;
}

function toFormError(error: unknown, { limits, tooLarge, tooManyFiles }: FormOptions): unknown {
  if (error instanceof AtelierError) return error;
  const { code, message, stack } = error as FastifyError;
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge();
  if (code === 'FST_FILES_LIMIT') return tooManyFiles();
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return malformedForm(`it has more than ${limits.fields} fields`, error);
  }
  // busboy throws plain errors without a code for malformed multipart bodies.
  if (code !== undefined || !stack?.includes('busboy')) return error;
  return malformedForm(message, error);
}

export function malformedForm(defect: string, cause?: unknown): AtelierError {
  return new AtelierError('malformed-body', `The form cannot be read: ${defect}.`, { cause });
}

/** @param detail a sentence without its subject, which is the part: "Is given more than once." */
export function invalidPart(name: string, detail: string): AtelierError {
  const shown = name.length > MAX_PART_NAME_BYTES ? `${name.slice(0, MAX_PART_NAME_BYTES)}…` : name;
  return new AtelierError('invalid-request', `The form is invalid. #/${shown}: ${detail}`, {
    details: [{ pointer: `#/${shown}`, detail }],
  });
}
