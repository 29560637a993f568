/** Forms of one file and the fields that describe it, in memory. */
import type { FastifyRequest } from 'fastify';
import { AtelierError } from '../../errors.ts';
import { type FormOptions, invalidPart, MODEL_FORM_LIMITS, readForm } from './multipart.ts';

export interface FileForm {
  readonly bytes: Buffer;
  /** The fields as sent. */
  readonly fields: Record<string, string>;
}

/**
 * @param form `file`: name of the part of the file; `example`: a command that sends one
 * @throws AtelierError `malformed-body`, `body-too-large`, `invalid-request`
 */
export async function readFileForm(
  request: FastifyRequest,
  form: {
    readonly file: string;
    readonly example: string;
    readonly maxBytes: number;
    readonly meaningfulEmpty?: string;
  },
): Promise<FileForm> {
  const { file, example, maxBytes, meaningfulEmpty } = form;
  const options: FormOptions = {
    limits: MODEL_FORM_LIMITS,
    ...(meaningfulEmpty !== undefined && { meaningfulEmpty }),
    maxBytes,
    tooLarge: `The file is larger than the limit of ${maxBytes} bytes.`,
    tooManyFiles: () =>
      new AtelierError('malformed-body', `The form has more than one file. Send one, as in ${example}.`),
  };
  const fields: Record<string, string> = {};
  let bytes: Buffer | undefined;
  for await (const part of readForm(request, options)) {
    if (part.kind === 'file') {
      if (part.name !== file)
        throw invalidPart(part.name, `Must not be a file; the only file is \`${file}\`.`);
      bytes = Buffer.concat(await Array.fromAsync(part.chunks));
    } else {
      if (part.name === file) throw invalidPart(file, `Must be a file, as in ${example}.`);
      fields[part.name] = part.value;
    }
  }
  if (bytes === undefined) throw invalidPart(file, `Is required. Send it as in ${example}.`);
  return { bytes, fields };
}
