/** Multipart forms: one reader, with limits and errors, for images, data sets and models. */
import { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
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
const FORM_TYPE = 'multipart/form-data';

export interface FormOptions {
  readonly limits: FormLimits;
  /** Whether several parts may have the same name. */
  readonly allowRepeated?: boolean;
  /** Name of the field, if any, whose empty value differs from its absence. */
  readonly meaningfulEmpty?: string;
  /** Size limit of all files together. */
  readonly maxBytes: number;
  /** The message beyond `maxBytes`. */
  readonly tooLarge: string;
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

/** The body of a form is its unread stream, to be read by `readForm`. */
export function registerForms(scope: FastifyInstance): void {
  scope.addContentTypeParser(FORM_TYPE, (_request, payload, done) => done(null, payload));
}

export const isForm = ({ body }: FastifyRequest): boolean => body instanceof Readable;

/** Rejects other bodies by their headers, in scopes whose parsers accept them for other routes. */
export function requireForm(scope: FastifyInstance): void {
  scope.addHook('onRequest', ({ headers }, _reply, done) => {
    const type = parseMediaType(headers['content-type']);
    done(type === FORM_TYPE ? undefined : new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(type));
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
  const { limits, maxBytes } = options;
  const tooLarge = () => new AtelierError('body-too-large', options.tooLarge);
  // Before anything is read.
  if (Number(request.headers['content-length']) > maxBytes + MAX_FORM_OVERHEAD_BYTES) throw tooLarge();
  const names = new Set<string>();
  let bytes = 0;

  async function* countedChunks(file: Readable): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of file as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge();
        yield chunk;
      }
    } catch (error) {
      throw toFormError(error);
    }
  }

  /** null for a file input without a file: browsers send it without a name and without bytes. */
  async function openFile({ name, filename, type, file }: FilePart): Promise<FormFile | null> {
    const chunks = countedChunks(file);
    if (filename) return { kind: 'file', name, filename, type, chunks };
    const first = await chunks.next();
    return first.done
      ? null
      : { kind: 'file', name, filename: name, type, chunks: prepend(first.value, chunks) };
  }

  /** null for an empty field. */
  function readField({ name, value, isCut }: FieldPart): FormField | null {
    if (value === '' && name !== options.meaningfulEmpty) return null;
    if (isCut) throw invalidPart(name, `Must be at most ${limits.fieldBytes} bytes long.`);
    return { kind: 'field', name, value };
  }

  for await (const part of parseParts(request, options)) {
    const { name } = part;
    if (!name) throw malformedForm('a part has no name');
    if (name in Object.prototype) {
      throw malformedForm('a part must not be named __proto__, constructor or the like');
    }
    const read = part.kind === 'file' ? await openFile(part) : readField(part);
    if (read === null) continue;
    if (!options.allowRepeated && names.has(name)) throw invalidPart(name, 'Is given more than once.');
    names.add(name);
    yield read;
  }
}

interface FieldPart extends FormField {
  /** Whether the value is longer than its limit. */
  readonly isCut: boolean;
}
interface FilePart extends Omit<FormFile, 'chunks'> {
  readonly file: Readable;
}

/** Parses a body until it ends, or the caller returns. */
async function* parseParts(
  { raw: body, headers }: FastifyRequest,
  { limits, tooManyFiles }: FormOptions,
): AsyncGenerator<FieldPart | FilePart> {
  const { files, fields, fieldBytes } = limits;
  const parts = new Readable({ objectMode: true, read() {} });
  let file: Readable | undefined;
  const fail = (error: unknown) => {
    // The reader of the file would wait forever.
    file?.destroy(toFormError(error));
    parts.destroy(toFormError(error));
  };
  const tooManyFields = () => fail(malformedForm(`it has more than ${fields} fields`));
  try {
    const parser = new Busboy({
      headers: headers as BusboyHeaders,
      limits: { files, fields, parts: files + fields, fieldSize: fieldBytes },
    });
    parser.on('field', (name, text, _isNameCut, isCut, _encoding, type) => {
      parts.push({ kind: 'field', name, value: readText(text, type), isCut });
    });
    parser.on('file', (name, opened, filename, _encoding, type) => {
      file = opened.on('error', () => {});
      parts.push({ kind: 'file', name, file, filename, type });
    });
    parser.on('filesLimit', () => fail(tooManyFiles()));
    parser.on('fieldsLimit', tooManyFields).on('partsLimit', tooManyFields);
    parser.on('error', fail).on('finish', () => parts.push(null));
    body.on('error', fail).pipe(parser);
    yield* parts;
  } catch (error) {
    throw toFormError(error);
  } finally {
    body.off('error', fail).unpipe();
  }
}

const toFormError = (error: unknown) =>
  error instanceof AtelierError ? error : malformedForm((error as Error).message, error);

/** Some clients declare every field as JSON, and quote its text. */
function readText(text: string, type: string): string {
  if (!type.startsWith('application/json')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

export function malformedForm(defect: string, cause?: unknown): AtelierError {
  return new AtelierError('malformed-body', `The form cannot be read: ${defect}.`, { cause });
}

/** @param detail a sentence without its subject, the part: "Is given more than once." */
export function invalidPart(name: string, detail: string): AtelierError {
  const shown = name.length > MAX_PART_NAME_BYTES ? `${name.slice(0, MAX_PART_NAME_BYTES)}…` : name;
  return new AtelierError('invalid-request', `The form is invalid. #/${shown}: ${detail}`, {
    details: [{ pointer: `#/${shown}`, detail }],
  });
}
