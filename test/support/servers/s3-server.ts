/**
 * An S3-compatible object store in memory, on the loopback address. It verifies AWS Signature Version 4 as its
 * specification describes it, independently of the client, and fails on demand.
 */
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'temporary+token/==',
  region: 'eu-test-1',
};
const BUCKET = 'models';
const SKEW_MS = 15 * 60_000;

interface StoredObject {
  bytes: Buffer;
  modifiedAt: number;
}

/** Decides about a request that is authentic: an action instead of the response, or undefined. */
type Failure = 'cut' | 'reset' | 'truncate' | number;
type Fails = (request: {
  method: string;
  query: URLSearchParams;
  name: string;
}) => Failure | undefined | Promise<Failure | undefined>;

export interface S3Server {
  /** Value for BLOB_URL, with the prefix `atelier/blobs`. */
  readonly url: string;
  /** By name within the bucket. */
  readonly objects: Map<string, StoredObject>;
  /** Uploads that are neither completed nor aborted. */
  readonly uploads: ReadonlyMap<string, ReadonlyMap<number, Buffer>>;
  /** Requests so far, such as `PUT atelier/blobs/1234?partNumber`. */
  readonly requests: string[];
  /** Called for each request; `cut` and `truncate` concern the body of the response. */
  fails: Fails;
  /** Called before an object is removed. */
  beforeRemoval: (name: string) => Promise<void>;
  close(): Promise<void>;
}

/** @param pageSize names in one response of a list */
export async function startS3({ pageSize = 1000 } = {}): Promise<S3Server> {
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const requests: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://s3');
    const body = Buffer.concat(await Array.fromAsync(request));
    const [, bucket, ...path] = decodeURIComponent(url.pathname).split('/');
    const [name, query, method] = [path.join('/'), url.searchParams, request.method!];
    requests.push(`${method} ${name}${query.size === 0 ? '' : `?${[...query.keys()].join('&')}`}`);
    const refusal = findRefusal(request, url, body);
    if (refusal !== undefined) return sendError(response, 403, refusal);
    const failure = await server.fails({ method, query, name });
    if (failure === 'reset') return void request.socket.destroy();
    if (typeof failure === 'number') return sendError(response, failure, 'Injected');
    if (bucket !== BUCKET) return sendError(response, 404, 'NoSuchBucket');
    const uploadId = query.get('uploadId');
    if (uploadId !== null && !uploads.has(uploadId)) return sendError(response, 404, 'NoSuchUpload');

    if (method === 'GET' && query.get('list-type') === '2') return send(response, listPage(query));
    if (method === 'GET') {
      const found = objects.get(name)?.bytes;
      if (found === undefined) return sendError(response, 404, 'NoSuchKey');
      if (failure === 'truncate') return send(response, found.subarray(0, found.length >> 1));
      if (failure !== 'cut') return send(response, found);
      response.writeHead(200, { 'content-length': found.length });
      return void response.write(found.subarray(0, found.length >> 1), () => request.socket.destroy());
    }
    if (method === 'POST' && query.has('uploads')) {
      const id = `upload-${requests.length}`;
      uploads.set(id, new Map());
      return send(
        response,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (method === 'PUT' && uploadId !== null) {
      uploads.get(uploadId)!.set(Number(query.get('partNumber')), body);
      return send(response, '', { etag: `"${sha256(body)}"` });
    }
    if (method === 'POST' && uploadId !== null) return complete(response, name, uploadId, `${body}`);
    if (method === 'DELETE' && uploadId !== null) {
      uploads.delete(uploadId);
      return send(response, '', {}, 204);
    }
    if (method === 'PUT') {
      objects.set(name, { bytes: body, modifiedAt: Date.now() });
      return send(response, '', { etag: `"${sha256(body)}"` });
    }
    if (method === 'DELETE') {
      await server.beforeRemoval(name);
      objects.delete(name);
      return send(response, '', {}, 204);
    }
    sendError(response, 405, 'MethodNotAllowed');
  }

  function complete(response: ServerResponse, name: string, uploadId: string, xml: string): void {
    const parts = uploads.get(uploadId)!;
    const named = [...xml.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>"(\w+)"<\/ETag>/g)];
    const bytes = named.map(([, number, tag]) => {
      const part = parts.get(Number(number));
      return part !== undefined && sha256(part) === tag ? part : undefined;
    });
    // S3 reports such errors with the status 200.
    if (bytes.length === 0 || bytes.includes(undefined)) {
      send(response, '<Error><Code>InvalidPart</Code></Error>');
      return;
    }
    objects.set(name, { bytes: Buffer.concat(bytes as Buffer[]), modifiedAt: Date.now() });
    uploads.delete(uploadId);
    send(response, '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>');
  }

  function listPage(query: URLSearchParams): string {
    const names = [...objects.keys()].filter((name) => name.startsWith(query.get('prefix') ?? '')).sort();
    const token = query.get('continuation-token');
    const first =
      token === null ? 0 : names.findIndex((name) => name > Buffer.from(token, 'base64').toString());
    const page = first < 0 ? [] : names.slice(first, first + pageSize);
    const entries = page.map((name) => {
      const modified = new Date(objects.get(name)!.modifiedAt).toISOString();
      return `<Contents><Key>${name}</Key><LastModified>${modified}</LastModified></Contents>`;
    });
    const isLast = first < 0 || first + pageSize >= names.length;
    const next = isLast
      ? ''
      : `<NextContinuationToken>${Buffer.from(page.at(-1)!).toString('base64')}</NextContinuationToken>`;
    return `<?xml version="1.0"?>\n<ListBucketResult><IsTruncated>${!isLast}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`;
  }

  const http = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const server: S3Server = {
    url: `s3://${BUCKET}/atelier/blobs?endpoint=http://127.0.0.1:${port}`,
    objects,
    uploads,
    requests,
    fails: () => undefined,
    beforeRemoval: async () => {},
    async close() {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
  return server;
}

function send(response: ServerResponse, body: string | Buffer, headers = {}, status = 200): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
}

function sendError(response: ServerResponse, status: number, code: string): void {
  send(
    response,
    `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`,
    {},
    status,
  );
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/** Encodes as RFC 3986 requires: everything but unreserved characters. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * The error code of a request that is not authentic, or undefined.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
function findRefusal(request: IncomingMessage, url: URL, body: Buffer): string | undefined {
  const header = (name: string) => `${request.headers[name] ?? ''}`;
  const [, key, scope, signed, signature] =
    /^AWS4-HMAC-SHA256 Credential=(\w+)\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
      header('authorization'),
    ) ?? [];
  if (signature === undefined) return 'AccessDenied';
  if (key !== CREDENTIALS.accessKeyId) return 'InvalidAccessKeyId';
  if (header('x-amz-security-token') !== CREDENTIALS.sessionToken) return 'InvalidToken';
  const date = header('x-amz-date');
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  if (!(Math.abs(Date.now() - at) < SKEW_MS)) return 'RequestTimeTooSkewed';
  const [day, region, service, end] = scope!.split('/');
  if (region !== CREDENTIALS.region) return 'AuthorizationHeaderMalformed';
  if (header('x-amz-content-sha256') !== sha256(body)) return 'XAmzContentSHA256Mismatch';
  const names = signed!.split(';');
  const required = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  if (!required.every((name) => names.includes(name))) return 'AccessDenied';
  const canonical = [
    request.method,
    url.pathname
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    [...url.searchParams]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${header(name).trim().replace(/ +/g, ' ')}`),
    '',
    signed,
    header('x-amz-content-sha256'),
  ].join('\n');
  const signingKey = [day!, region, service!, end!].reduce<string | Buffer>(
    hmac,
    `AWS4${CREDENTIALS.secretAccessKey}`,
  );
  const expected = hmac(
    signingKey as Buffer,
    ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n'),
  );
  return expected.toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}
