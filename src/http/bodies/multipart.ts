/** Multipart bodies: their registration, and a parser that limits their parts. */
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

/** Limits of a form, and the errors beyond them. */
export interface LimitedForm {
  readonly limits: FormLimits;
  /** The message for files that are larger than `maxBytes` together. */
  readonly tooLarge: (maxBytes: number) => string;
  readonly tooManyFiles: () => AtelierError;
}

interface FormField {
  readonly kind: 'field';
  readonly name: string;
  readonly value: string;
  /** Whether the value is longer than its limit. */
  readonly isCut: boolean;
}
export interface FormFile {
  readonly kind: 'file';
  readonly name: string;
  /** The name of the part if the client gives none. */
  readonly filename: string;
  /** The media type that the client declared. */
  readonly type: string;
  /** The content; must be consumed before the next part is read. */
  readonly chunks: AsyncGenerator<Buffer>;
}

const MAX_PART_NAME_BYTES = 64;
/** Allowance for fields and the headers of parts, in addition to the files. */
const MAX_FORM_OVERHEAD_BYTES = 2 ** 20;
const FORM_TYPE = 'multipart/form-data';

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
 * Parses the parts of a form in the order in which they arrive, until it ends or the caller returns.
 * @param maxBytes size limit of all files together
 * @throws AtelierError `malformed-body`, and the errors of `form`
 */
export async function* parseForm(
  { raw: body, headers }: FastifyRequest,
  form: LimitedForm,
  maxBytes: number,
): AsyncGenerator<FormField | FormFile> {
  const { files, fields, fieldBytes } = form.limits;
  const tooLarge = () => new AtelierError('body-too-large', form.tooLarge(maxBytes));
  // Before anything is read.
  if (Number(headers['content-length']) > maxBytes + MAX_FORM_OVERHEAD_BYTES) throw tooLarge();
  const parts = new Readable({ objectMode: true, read() {} });
  let file: Readable | undefined;
  const fail = (error: unknown) => {
    // The reader of the file would wait forever.
    file?.destroy(toFormError(error));
    parts.destroy(toFormError(error));
  };
  let bytes = 0;
  async function* countedChunks(opened: Readable): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of opened as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge();
        yield chunk;
      }
    } catch (error) {
      throw toFormError(error);
    }
  }
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
      parts.push({ kind: 'file', name, filename, type, chunks: countedChunks(file) });
    });
    parser.on('filesLimit', () => fail(form.tooManyFiles()));
    parser.on('fieldsLimit', tooManyFields).on('partsLimit', tooManyFields);
    parser.on('error', fail).on('finish', () => parts.push(null));
    body.on('error', fail).pipe(parser);
    for await (const part of parts) {
      const opened = await openPart(part);
      if (opened) yield opened;
    }
  } catch (error) {
    throw toFormError(error);
  } finally {
    body.off('error', fail).unpipe();
  }
}

/** null for a file input without a file: browsers send it without a name and without bytes. */
async function openPart(part: FormField | FormFile): Promise<FormField | FormFile | null> {
  const { name } = part;
  if (!name) throw malformedForm('a part has no name');
  if (name in Object.prototype) {
    throw malformedForm('a part must not be named __proto__, constructor or the like');
  }
  if (part.kind === 'field' || part.filename) return part;
  const first = await part.chunks.next();
  return first.done ? null : { ...part, filename: name, chunks: prepend(first.value, part.chunks) };
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
