/** Compares responses with openapi/openapi.json: their status, media type, and JSON against its schema. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';

const DOCUMENT = 'openapi.json';
const document: OpenAPIV3_1.Document = JSON.parse(
  readFileSync(new URL(`../openapi/${DOCUMENT}`, import.meta.url), 'utf8'),
);
// Not strict, because the vocabulary of OpenAPI adds keywords such as `example`.
const ajv = new Ajv2020({ strict: false, validateSchema: false, validateFormats: true, logger: false });
addFormats.default(ajv);
ajv.addSchema(document, DOCUMENT);

/** A path with fewer parameters comes first: `/v2/models/stats` is not a model. */
const routes = Object.keys(document.paths!)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((path) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/:]+')}$`),
  }));

export interface SentResponse {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  /** Without parameters. */
  readonly mediaType: string | undefined;
  readonly body: string;
}

/** Responses of paths and methods that the document does not describe pass. The first comparison compiles a schema. */
export function assertDocumented({ method, url, status, mediaType, body }: SentResponse): void {
  const pathname = url.split('?', 1)[0]!;
  const path = routes.find(({ pattern }) => pattern.test(pathname))?.path;
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
  const operation = path && (document.paths![path] as Record<string, OpenAPIV3_1.OperationObject>)[verb];
  // 405: the router has no such operation, such as that of a name with an encoded slash.
  if (!operation || status === 405) return;
  const title = `${method} ${path} ${status}`;
  const response = operation.responses![status] as OpenAPIV3_1.ResponseObject | undefined;
  assert.ok(response, `${title}: openapi.json does not document this status. Body: ${body.slice(0, 500)}`);
  const documented = Object.keys(response.content ?? {});
  // 304 may name the media type of what it does not send.
  if (method === 'HEAD' || (body === '' && documented.length === 0)) return;
  assert.ok(
    mediaType !== undefined && documented.includes(mediaType),
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
  const valid = validate(JSON.parse(body));
  assert.ok(
    valid,
    `${title} does not match openapi.json: ${ajv.errorsText(validate.errors)}. Body: ${body.slice(0, 500)}`,
  );
}

/** Makes `app.inject` reject if the response differs from the document. Streams are not read. */
export function checkInjected(app: FastifyInstance): void {
  const inject = app.inject as (options: string | InjectOptions) => Promise<LightMyRequestResponse>;
  async function injectAndCheck(options: string | InjectOptions): Promise<LightMyRequestResponse> {
    const response = await inject.call(app, options);
    if (typeof options === 'object' && options.payloadAsStream) return response;
    const isCompressed = response.headers['content-encoding'] === 'gzip' && response.rawPayload.length > 0;
    const { method, url } = response.raw.req as { method: string; url: string };
    assertDocumented({
      method,
      // The service has removed its base path.
      url,
      status: response.statusCode,
      mediaType: response.headers['content-type']?.toString().split(';', 1)[0],
      body: isCompressed ? gunzipSync(response.rawPayload).toString() : response.body,
    });
    return response;
  }
  Object.assign(app, { inject: injectAndCheck });
}
