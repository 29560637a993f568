/** Where the files of a form go: to memory, or to disk as they arrive. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { isDiskFull, storageFull } from '../../store/blobs/directory.ts';
import { readForm, type StoredForm } from './form.ts';
import type { FormFile } from './multipart.ts';

export interface StoredFile {
  /** Name of the form part. */
  readonly part: string;
  readonly path: string;
  readonly bytes: number;
  readonly digest: string;
}

export async function toMemory({ chunks }: FormFile): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks));
}

/**
 * Writes each file of the form to a path from `newFile`, calls `use` with the form, and deletes the files with
 * `discard`, also after an error.
 * @throws AtelierError `storage-full`, and the errors of `readForm` and `use`
 */
export async function withStoredForm<F extends z.ZodType, T>(
  request: FastifyRequest,
  form: StoredForm<F>,
  maxBytes: number,
  { newFile, discard }: { newFile: () => string; discard: (file: string) => Promise<void> },
  use: (upload: { readonly fields: z.output<F>; readonly files: readonly StoredFile[] }) => Promise<T>,
): Promise<T> {
  const paths: string[] = [];
  try {
    const upload = await readForm(request, form, maxBytes, async ({ name: part, chunks }) => {
      const path = newFile();
      paths.push(path);
      return { part, path, ...(await toDisk(chunks, path, form.stored)) };
    });
    return await use(upload);
  } finally {
    for (const path of paths) await discard(path);
  }
}

/**
 * Writes a file to a new path.
 * @param what the object that is stored, for the error
 * @throws AtelierError `storage-full`
 */
export async function toDisk(chunks: AsyncIterable<Buffer>, path: string, what: string) {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    throw isDiskFull(error) ? storageFull(what, error) : error;
  } finally {
    await file.close();
  }
  return { bytes, digest: `sha256:${hash.digest('hex')}` };
}
