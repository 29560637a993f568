/** Signed requests to an S3-compatible object store, repeated after transient failures. */
import { setTimeout as wait } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { isTransient, S3Error, toStorageError } from './errors.ts';
import { parseBlobUrl } from './location.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Unless the URL names one. */
  readonly region: string;
}

export interface S3Request {
  readonly method: 'DELETE' | 'GET' | 'POST' | 'PUT';
  /** Name of an object, without the prefix; omitted for requests about the bucket. */
  readonly name?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** 64 hexadecimal digits; by default computed. */
  readonly sha256?: string;
  /** Ends the request without a retry. */
  readonly signal?: AbortSignal;
}

export type S3Client = ReturnType<typeof createS3Client>;
/** Receives a response and its body. A truncated body ends with an error. */
type ReadResponse<T> = (response: Response, body: AsyncIterable<Uint8Array>) => Promise<T>;

const ATTEMPTS = 5;
/** Time without progress after which an attempt ends. */
const IDLE_MS = 30_000;
/** Slowest upload that an attempt allows, in bytes per millisecond. */
const SLOWEST = 250;

/** @param pauseMs the first pause is at most this long, each further one at most twice the one before */
export function createS3Client(url: string, credentials: S3Credentials, { pauseMs = 200 } = {}) {
  const location = parseBlobUrl(url, credentials.region);
  const { endpoint, bucket, prefix, region } = location;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== null && { sessionToken }),
    service: 's3',
    region,
  });

  async function attempt<T>(
    { method, name, query = {}, body, sha256, signal }: S3Request,
    read: ReadResponse<T>,
  ): Promise<T> {
    const target = new URL(`${endpoint}/${bucket}${name === undefined ? '' : `/${prefix}${name}`}`);
    for (const [parameter, value] of Object.entries(query)) target.searchParams.set(parameter, value);
    const hash = sha256 ?? (await sha256Digits(body ?? new Uint8Array()));
    const request = await signer.sign(target.href, {
      method,
      headers: { 'x-amz-content-sha256': hash },
      ...(body && { body }),
    });
    const controller = new AbortController();
    const timer = setTimeout(
      () => controller.abort(new DOMException('The object store does not respond.', 'TimeoutError')),
      IDLE_MS + (body?.length ?? 0) / SLOWEST,
    );
    try {
      const ends = signal === undefined ? controller.signal : AbortSignal.any([controller.signal, signal]);
      const response = await fetch(request, { signal: ends, redirect: 'manual' });
      if (!response.ok) throw new S3Error(response.status, await response.text());
      return await read(
        response,
        withProgress(response.body, () => timer.refresh()),
      );
    } catch (error) {
      controller.abort(); // the connection of a response that was not read to its end
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    prefix,
    /**
     * Sends a request, at most five times with growing pauses, and reads the response.
     * @param read called for each attempt
     * @throws AtelierError `storage-unavailable`, `storage-full`, and errors of `read`
     * @throws S3Error `NoSuchKey`
     */
    async send<T>(request: S3Request, read: ReadResponse<T>): Promise<T> {
      for (let n = 1; ; n++) {
        try {
          return await attempt(request, read);
        } catch (error) {
          if (error instanceof S3Error && error.code === 'NoSuchKey') throw error;
          if (n === ATTEMPTS || request.signal?.aborted || !isTransient(error)) throw toStorageError(error);
          await wait(Math.random() * pauseMs * 2 ** (n - 1));
        }
      }
    },
  };
}

/** Reads an empty body, so that its connection can be used again. */
export async function readNothing(response: Response): Promise<void> {
  await response.arrayBuffer();
}

async function* withProgress(
  body: ReadableStream<Uint8Array> | null,
  onProgress: () => void,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  for await (const chunk of body) {
    onProgress();
    yield chunk;
  }
}

async function sha256Digits(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
