/** Compares responses with openapi/openapi.json: status, media type, and JSON schema. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';

const DOCUMENT = 'openapi.json';
const document: OpenAPIV3_1.Document = JSON.parse(
  readFileSync(new URL(`../../openapi/${DOCUMENT}`, import.meta.url), 'utf8'),
);
const ajv = new Ajv2020({
  // The vocabulary of OpenAPI adds keywords such as `example`.
  strict: false,
  validateSchema: false,
  logger: false,
  // Optimizing takes three times as long as compiling, and a schema is used a few times only.
  code: { optimize: false },
});
// No schema has `unevaluatedProperties`, and recording what was evaluated makes compiling a third longer.
ajv.opts.unevaluated = false;
addFormats.default(ajv);
ajv.addSchema(document, DOCUMENT);

/** A path with fewer parameters comes first: `/v2/models/stats` is not a model. */
const routes = Object.keys(document.paths!)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((path) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/:]+')}$`),
  }));

const DECODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  br: brotliDecompressSync,
  deflate: inflateSync,
  gzip: gunzipSync,
  zstd: zstdDecompressSync,
};

/**
 * Responses of paths and methods that the document does not describe pass. The first comparison compiles a schema.
 * @param request the base path is removed from its URL, as the service does
 * @param headers names in lower case
 */
function assertDocumented(
  { method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Buffer,
): void {
  const pathname = url.split('?', 1)[0]!;
  const path = routes.find(({ pattern }) => pattern.test(pathname))?.path;
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
  const operation = path && (document.paths![path] as Record<string, OpenAPIV3_1.OperationObject>)[verb];
  // 405: the router has no such operation, such as that of a name with an encoded slash.
  if (!operation || status === 405) return;
  const decode = DECODERS[String(headers['content-encoding'])];
  const text = (decode && body.length > 0 ? decode(body) : body).toString();
  const title = `${method} ${path} ${status}`;
  const response = operation.responses![status] as OpenAPIV3_1.ResponseObject | undefined;
  assert.ok(response, `${title}: openapi.json does not document this status. Body: ${text.slice(0, 500)}`);
  const documented = Object.keys(response.content ?? {});
  // 304 may name the media type of what it does not send.
  if (method === 'HEAD' || (text === '' && documented.length === 0)) return;
  const mediaType = String(headers['content-type']).split(';', 1)[0]!;
  assert.ok(
    documented.includes(mediaType),
    `${title}: openapi.json does not document ${mediaType}, but only ${documented.join(', ') || 'no body'}.`,
  );
  // A part of JSON is not JSON.
  if (!/[/+]json$/.test(mediaType) || status === 206) return;
  const { schema } = response.content![mediaType]!;
  const place = ['paths', path, verb, 'responses', status, 'content', mediaType, 'schema'];
  const pointer = place.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'));
  // Most responses refer to a component, which is compiled once for all of them.
  const fragment =
    schema && '$ref' in schema ? schema.$ref : `#/${pointer.map(encodeURIComponent).join('/')}`;
  const validate = ajv.getSchema(DOCUMENT + fragment)!;
  const valid = validate(JSON.parse(text));
  assert.ok(
    valid,
    `${title} does not match openapi.json: ${ajv.errorsText(validate.errors)}. Body: ${text.slice(0, 500)}`,
  );
}

/** Makes `app.inject` reject if the response differs from the document. Streams are not read. */
export function checkInjected(app: FastifyInstance): void {
  const inject = app.inject as (options: string | InjectOptions) => Promise<LightMyRequestResponse>;
  async function injectAndCheck(options: string | InjectOptions): Promise<LightMyRequestResponse> {
    const response = await inject.call(app, options);
    if (typeof options === 'object' && options.payloadAsStream) return response;
    const { req } = response.raw as { req: IncomingMessage };
    assertDocumented(req, response.statusCode, response.headers, response.rawPayload);
    return response;
  }
  Object.assign(app, { inject: injectAndCheck });
}

/**
 * Compares the complete responses that the server sends over connections.
 * @returns a function that throws the first difference
 */
export function checkSent(server: Server): () => void {
  const differences: unknown[] = [];
  // Before the listener of the service, which may respond at once.
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    let headers: OutgoingHttpHeaders = {};
    const keep = (chunk: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    const { writeHead, write, end } = response;
    Object.assign(response, {
      writeHead(...args: unknown[]) {
        headers = { ...response.getHeaders(), ...(args.at(-1) as OutgoingHttpHeaders) };
        return Reflect.apply(writeHead, response, args);
      },
      write(...args: unknown[]) {
        keep(args[0]);
        return Reflect.apply(write, response, args);
      },
      end(...args: unknown[]) {
        keep(args[0]);
        return Reflect.apply(end, response, args);
      },
    });
    response.on('finish', () => {
      try {
        assertDocumented(request, response.statusCode, headers, Buffer.concat(chunks));
      } catch (error) {
        differences.push(error);
      }
    });
  });
  return () => {
    if (differences.length > 0) throw differences[0];
  };
}
