/** Multipart forms (RFC 7578) whose files are read while they are sent: `fetch` holds a whole FormData in memory. */
import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Option } from '../command.ts';
import { UsageError } from '../errors.ts';
import { openFile } from '../files.ts';
import { type Folder, packFolder, read } from './folder.ts';

export interface Form {
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Opens the body from its start, once per attempt to send it.
   * @param onProgress called with the fraction that is read
   */
  open(onProgress?: (fraction: number) => void): ReadableStream;
  /** Size of all files. */
  readonly bytes: number;
}

/** A file of a form. */
export interface Part {
  readonly name: string;
  readonly path: string;
  readonly filename: string;
  /** Number of bytes that are read; a folder is sent with more. */
  readonly bytes: number;
  readonly isFolder: boolean;
  read(onRead: (bytes: number) => void): AsyncIterable<Uint8Array>;
}

/** An option that names a field as `--class-names` names `classNames`. */
export const field = (value: string, help: string) => ({ type: 'string', value, help }) as const;
/** Fields by their names, for all others. */
export const fieldOption = {
  type: 'string',
  multiple: true,
  default: [] as string[],
  value: 'NAME=VALUE',
  help: 'A field of the form by its name; can be repeated',
} as const;

/** @returns `name=value` for each option that is given, then the fields by their names */
export function listFields(
  options: Readonly<Record<string, Option>>,
  values: Readonly<Record<string, unknown>> & { readonly field: readonly string[] },
): string[] {
  const given = Object.keys(options).filter((name) => values[name] !== undefined);
  const toField = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return [...given.map((name) => `${toField(name)}=${values[name]}`), ...values.field];
}

/** @param file path, or `part=path`; the part is `file` by default */
export function splitPart(file: string): { name: string; path: string } {
  const [, name = 'file', path = ''] = /^(?:(\w+)=)?(.+)$/s.exec(file) ?? [];
  return { name, path };
}

/** @throws UsageError for a file that cannot be read */
export async function filePart(file: string): Promise<Part> {
  const { name, path } = splitPart(file);
  const { size } = await openFile(path);
  const reader = (onRead: (bytes: number) => void) => read(path, onRead);
  return { name, path, filename: basename(path), bytes: size, isFolder: false, read: reader };
}

export function folderPart(file: string, folder: Folder): Part {
  const { name, path } = splitPart(file);
  return {
    name,
    path,
    filename: `${basename(resolve(path))}.tar`,
    bytes: folder.files.reduce((sum, { bytes }) => sum + bytes, 0),
    isFolder: true,
    read: (onRead) => packFolder(folder, onRead),
  };
}

/**
 * @param fields `name=value`
 * @throws UsageError for a field without `=`
 */
export function buildForm(parts: readonly Part[], fields: readonly string[]): Form {
  const boundary = `atelier-${randomUUID()}`;
  const head = (disposition: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`;
  const texts = fields.map((each) => {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(each) ?? [];
    if (name === undefined) throw new UsageError(`--field must be name=value, but is "${each}".`);
    return `${head(`name="${name}"`)}${value}\r\n`;
  });
  const heads = parts.map(({ name, filename }) => head(`name="${name}"; filename="${escapeName(filename)}"`));
  const end = `--${boundary}--\r\n`;
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const length = Buffer.byteLength([...texts, ...heads, end].join('')) + 2 * parts.length + bytes;

  async function* encode(onProgress: (fraction: number) => void): AsyncGenerator<Uint8Array> {
    let done = 0;
    const onRead = (more: number) => {
      done += more;
      onProgress(done / bytes);
    };
    yield Buffer.from(texts.join(''));
    for (const [index, part] of parts.entries()) {
      yield Buffer.from(heads[index]!);
      try {
        yield* part.read(onRead);
      } catch (error) {
        throw new UsageError(`${part.path} cannot be sent: ${(error as Error).message.replace(/\.$/, '')}.`);
      }
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(end);
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      // The length of an archive is known at its end only.
      ...(!parts.some(({ isFolder }) => isFolder) && { 'content-length': String(length) }),
    },
    open: (onProgress = () => {}) => Readable.toWeb(Readable.from(encode(onProgress), { objectMode: false })),
    bytes,
  };
}

/** Escapes as browsers do. */
const escapeName = (name: string) =>
  name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
