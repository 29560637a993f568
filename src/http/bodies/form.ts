/** Forms: the declaration of the fields and files of one, and the reader of all. */
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AtelierError } from '../../errors.ts';
import { parseBody } from '../validation/zod-validator.ts';
import {
  type FormFile,
  type FormLimits,
  invalidPart,
  type LimitedForm,
  malformedForm,
  parseForm,
} from './multipart.ts';

/** The longest field is a list of a thousand class names of 100 characters, in JSON six bytes each. */
const FIELD_BYTES = 640 * 1024;
export const MODEL_FORM_LIMITS: FormLimits = { files: 1, fields: 32, fieldBytes: FIELD_BYTES };
/** More than any valid form has, so that unknown and repeated parts are rejected by name. */
export const DATASET_FORM_LIMITS: FormLimits = { files: 16, fields: 32, fieldBytes: FIELD_BYTES };

/** The declaration of a form. */
export interface Form<F extends z.ZodType> extends LimitedForm {
  /** Schema of the fields, which all arrive as text. */
  readonly fields: F;
  /** Name of the field, if any, whose empty value differs from its absence. */
  readonly meaningfulEmpty?: string;
  /** How often each file is sent; `*` stands for any name. A form whose files are all optional has at least one. */
  readonly files: Readonly<Record<string, 'required' | 'optional' | 'several'>>;
  /** The command that sends a file of this name. */
  readonly example: (name: string) => string;
  readonly noFile?: () => AtelierError;
  /** The rest of the message about a file of another name. */
  readonly otherFile?: (name: string) => string;
  /** The error for every field, of a form that has none. */
  readonly anyField?: () => AtelierError;
}

/** The declaration of a form whose files go to disk. */
export interface StoredForm<F extends z.ZodType> extends Form<F> {
  /** Describes the files in the error of a full disk. */
  readonly stored: string;
}

/** Declares a form of one file in memory, and of the fields that describe it. */
export const formOfFile = <F extends z.ZodType>(file: string, example: string, fields: F): Form<F> => ({
  fields,
  files: { [file]: 'required' },
  limits: MODEL_FORM_LIMITS,
  example: () => example,
  tooLarge: (maxBytes) => `The file is larger than the limit of ${maxBytes} bytes.`,
  tooManyFiles: () =>
    new AtelierError('malformed-body', `The form has more than one file. Send one, as in ${example}.`),
  otherFile: () => `Must not be a file; the only file is \`${file}\`.`,
});

/**
 * Reads a form. Empty fields and file inputs are skipped, because HTML forms and the page /docs send all that are left empty.
 * @param maxBytes size limit of all files together
 * @param receive consumes a file as it arrives
 * @returns the files in the order in which they were sent
 * @throws AtelierError `malformed-body`, `invalid-request`, `body-too-large`, and the errors of `form` and `receive`
 */
export async function readForm<F extends z.ZodType, T>(
  request: FastifyRequest,
  form: Form<F>,
  maxBytes: number,
  receive: (file: FormFile) => Promise<T>,
): Promise<{ readonly fields: z.output<F>; readonly files: readonly T[] }> {
  const { example, limits, noFile, anyField } = form;
  const names = new Set<string>();
  const fields: Record<string, string> = {};
  const files: T[] = [];
  for await (const part of parseForm(request, form, maxBytes)) {
    const { name } = part;
    if (part.kind === 'field') {
      if (part.value === '' && name !== form.meaningfulEmpty) continue;
      if (part.isCut) throw invalidPart(name, `Must be at most ${limits.fieldBytes} bytes long.`);
    }
    const count = form.files[name] ?? form.files['*'];
    if (names.has(name) && count !== 'several') throw invalidPart(name, 'Is given more than once.');
    names.add(name);
    if (part.kind === 'file') {
      if (!count) throw invalidPart(name, form.otherFile!(name));
      files.push(await receive(part));
    } else {
      if (anyField) throw anyField();
      if (count) throw invalidPart(name, `Must be a file, as in ${example(name)}.`);
      fields[name] = part.value;
    }
  }
  for (const [name, count] of Object.entries(form.files)) {
    if (count === 'required' && !names.has(name))
      throw invalidPart(name, `Is required. Send it as in ${example(name)}.`);
  }
  if (files.length === 0)
    throw noFile?.() ?? malformedForm(`it has no file. Send one, as in ${example('file')}`);
  return { fields: parseBody(form.fields, fields), files };
}
