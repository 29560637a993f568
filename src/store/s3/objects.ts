/** Objects of an S3-compatible store: put, get, list and delete. */
import { readFile, stat } from 'node:fs/promises';
import { readChunks } from '../blobs/chunks.ts';
import { readNothing, type S3Client } from './client.ts';
import { readElement, S3Error } from './errors.ts';
import { putParts } from './multipart.ts';

const PART_BYTES = 2 ** 23;
/** Bytes in memory are sent in parts if they take more parts than this: 64 MiB. */
const MULTIPART_PARTS = 8;

export interface StoredObject {
  readonly name: string;
  /** Age by the clock of the object store. */
  readonly ageMs: number;
}

/** Names are without the prefix of BLOB_URL. All methods throw AtelierError `storage-unavailable`, writing ones `storage-full`. */
export type Objects = ReturnType<typeof createObjects>;

/** @param partBytes at least 5 MiB, the smallest that S3 allows */
export function createObjects(client: S3Client, { partBytes = PART_BYTES } = {}) {
  return {
    /** @param sha256 64 hexadecimal digits; bytes that are not sent in parts are rejected if they have another digest */
    async put(name: string, bytes: Uint8Array<ArrayBuffer>, sha256: string) {
      if (bytes.length > MULTIPART_PARTS * partBytes) return putParts(client, name, split(bytes, partBytes));
      await client.send({ method: 'PUT', name, body: bytes, sha256 }, readNothing);
    },

    /** Sends the file in parts of 8 MiB. The file must not change while it is sent. */
    async putFile(name: string, path: string, sha256: string) {
      if ((await stat(path)).size > partBytes) return putParts(client, name, readChunks(path, partBytes));
      const body = new Uint8Array(await readFile(path));
      await client.send({ method: 'PUT', name, body, sha256 }, readNothing);
    },

    /**
     * @param use receives the bytes; called again with all of them if the connection is lost
     * @returns undefined if the object does not exist
     */
    async get<T>(name: string, use: (chunks: AsyncIterable<Uint8Array>) => Promise<T>) {
      try {
        return await client.send({ method: 'GET', name }, (_response, body) => use(body));
      } catch (error) {
        if (error instanceof S3Error) return undefined;
        throw error;
      }
    },

    /** Objects whose name begins with `start`. */
    async *list(start: string): AsyncIterable<StoredObject> {
      const query = { 'list-type': '2', prefix: client.prefix + start };
      for (let token: string | undefined; ; ) {
        const page = await client.send(
          { method: 'GET', query: { ...query, ...(token !== undefined && { 'continuation-token': token }) } },
          async (response, body) => ({
            xml: Buffer.from(await readBytes(body)).toString(),
            now: response.headers.get('date'),
          }),
        );
        const now = page.now === null ? Date.now() : Date.parse(page.now);
        for (const [, entry] of page.xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
          const name = readElement(entry!, 'Key')!.slice(client.prefix.length);
          yield { name, ageMs: now - Date.parse(readElement(entry!, 'LastModified')!) };
        }
        token = readElement(page.xml, 'NextContinuationToken');
        if (token === undefined) return;
      }
    },

    /** Sends a request that needs the bucket and valid credentials. */
    assertUsable: () =>
      client.send({ method: 'GET', query: { 'list-type': '2', 'max-keys': '1' } }, readNothing),

    /** Does nothing if the object does not exist. */
    remove: (name: string, signal?: AbortSignal) =>
      client.send({ method: 'DELETE', name, ...(signal && { signal }) }, readNothing),
  };
}

/** @returns the bytes in their own buffer, from offset 0 */
export async function readBytes(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await Array.fromAsync(body);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

function* split(bytes: Uint8Array<ArrayBuffer>, partBytes: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
}
