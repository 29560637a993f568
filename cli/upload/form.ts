/** Multipart forms (RFC 7578) whose files are read while they are sent: `fetch` holds a whole FormData in memory. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { UsageError } from '../errors.ts';
import { openFile } from '../files.ts';

export interface Form {
  readonly headers: Readonly<Record<string, string>>;
  /** Opens the body from its start, once per attempt to send it. */
  open(): ReadableStream;
}

interface Part {
  readonly head: string;
  readonly path: string;
}

/**
 * @param files path, or `part=path`; the part is `file` by default
 * @param fields `name=value`
 * @throws UsageError for a file that cannot be read, or a field without `=`
 */
export async function buildForm(files: readonly string[], fields: readonly string[]): Promise<Form> {
  const boundary = `atelier-${randomUUID()}`;
  const head = (disposition: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`;
  const texts = fields.map((field) => {
    const [, name, value] = /^(\w+)=(.*)$/s.exec(field) ?? [];
    if (name === undefined) throw new UsageError(`--field must be name=value, but is "${field}".`);
    return `${head(`name="${name}"`)}${value}\r\n`;
  });
  const end = `--${boundary}--\r\n`;
  let length = Buffer.byteLength(texts.join('') + end);
  const parts: Part[] = [];
  for (const file of files) {
    const [, name = 'file', path = ''] = /^(?:(\w+)=)?(.+)$/s.exec(file) ?? [];
    const part = { head: head(`name="${name}"; filename="${escapeName(basename(path))}"`), path };
    length += Buffer.byteLength(part.head) + (await openFile(path)).size + 2;
    parts.push(part);
  }

  async function* encode(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(texts.join(''));
    for (const part of parts) {
      yield Buffer.from(part.head);
      yield* createReadStream(part.path);
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(end);
  }
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(length),
    },
    open: () => Readable.toWeb(Readable.from(encode(), { objectMode: false })),
  };
}

/** Escapes as browsers do. */
const escapeName = (name: string) =>
  name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
