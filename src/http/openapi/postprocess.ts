/** Adds what many operations share to the OpenAPI document: errors, security and headers. */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { ErrorCode } from '../../errors.ts';
import { problems, problemTitle } from '../errors/problem.ts';
import type { ErrorFormat } from '../errors/protocol-errors.ts';
import type { RouteScope } from '../hooks/access/authentication.ts';
import { COMPRESSED_TYPES } from '../responses/compression.ts';
import { addExamples } from './examples.ts';
import { HEADERS, type HeaderName } from './headers.ts';
import { dropUnusedSchemas, simplifySchemas } from './schemas.ts';

const SECURITY_SCHEMES = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description:
      'An API key. Required if `API_KEYS` is set, or if the service listens beyond the loopback address without ' +
      '`ALLOW_ANONYMOUS=true`. Each of the scopes `admin`, `promote`, `train` and `predict` includes the ones after it.',
  },
} as const;
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Usual spelling of header parameters. Route schemas have lower-case names, because Node lower-cases header names. */
const HEADER_PARAMETERS = [
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'If-Range',
  'Range',
  'Inference-Header-Content-Length',
  'Prefer',
];

/** Declarations of the route, as `x-declared`; see openapi.ts, idempotency.ts, etag.ts and protocol-errors.ts. */
interface Declared {
  readonly responseHeaders?: Readonly<Record<string, readonly HeaderName[]>>;
  readonly readsDataset?: true;
  readonly commonErrors?: false;
  readonly idempotent?: boolean;
  readonly etag?: true;
  readonly errorFormat: Pick<ErrorFormat, 'type' | 'name'>;
}

type Operation = OpenAPIV3_1.OperationObject & {
  'x-required-scope': RouteScope;
  'x-declared'?: Declared;
  responses: Record<string, OpenAPIV3_1.ResponseObject>;
};

/** @param examples by component id */
export function postprocessOpenapi(
  generated: OpenAPIV3_1.Document,
  examples: Readonly<Record<string, unknown>>,
): OpenAPIV3_1.Document {
  const document = dropUnusedSchemas(generated);
  addExamples(document, examples);
  const schemas = document.components?.schemas ?? {};
  document.components = {
    ...document.components,
    // By name, because the order in which modules are loaded would reorder the document.
    schemas: Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    headers: { ...HEADERS },
    securitySchemes: SECURITY_SCHEMES,
  };
  for (const item of Object.values(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item?.[method] as Operation | undefined;
      if (!operation) continue;
      const declared = operation['x-declared']!;
      delete operation['x-declared'];
      addCommonResponses(operation, method, declared);
      addSecurity(operation, declared);
      completeParameters(operation);
      addResponseHeaders(operation, declared);
    }
  }
  simplifySchemas(document);
  return document;
}

function addCommonResponses({ responses }: Operation, method: string, declared: Declared): void {
  const { errorFormat, readsDataset, etag } = declared;
  // A path that cannot be decoded, or a query that the schema does not allow.
  responses['400'] ??= errorResponse(errorFormat, 400, 'invalid-request');
  responses['417'] ??= errorResponse(errorFormat, 417);
  if (method === 'post') responses['408'] ??= errorResponse(errorFormat, 408);
  if (isApiRoute(declared)) {
    const damaged = readsDataset ? (['dataset-damaged'] as const) : [];
    responses['500'] = errorResponse(errorFormat, 500, 'internal-error', 'state-unusable', ...damaged);
    responses['503'] ??= errorResponse(errorFormat, 503);
  }
  if (etag) {
    responses['412'] ??= errorResponse(errorFormat, 412);
    responses['304'] = { description: 'Unchanged since the response whose ETag is in If-None-Match' };
  }
}

const isApiRoute = ({ commonErrors }: Declared) => commonErrors !== false;

function addSecurity(operation: Operation, { errorFormat }: Declared): void {
  const scope = operation['x-required-scope'];
  if (scope === 'open') {
    operation.security = [];
    return;
  }
  const required = scope === 'docs' || scope === 'metrics' ? 'predict' : scope;
  // `{}` is the alternative without a key. The configuration may allow it, and allows it by default on loopback.
  operation.security = [{}, { key: [required] }];
  for (const status of [401, 403, 429] as const) {
    operation.responses[status] ??= errorResponse(errorFormat, status);
  }
}

function completeParameters({ parameters = [] }: Operation): void {
  for (const parameter of parameters as OpenAPIV3_1.ParameterObject[]) {
    const isRecord = parameter.in === 'query' && (parameter.schema as { type?: string }).type === 'object';
    // Without an example, the page /docs fills in a key of its own that no object of a list has.
    if (isRecord) Object.assign(parameter, { style: 'deepObject', explode: true, example: {} });
    const header = HEADER_PARAMETERS.find((name) => name.toLowerCase() === parameter.name);
    if (header) parameter.name = header;
  }
}

function addResponseHeaders({ responses }: Operation, declared: Declared): void {
  const isNegotiated = '406' in responses;
  for (const [status, response] of Object.entries(responses)) {
    const names: HeaderName[] = ['X-Request-Id'];
    if (declared.etag && (status === '200' || status === '304')) names.push('ETag');
    names.push(...(declared.responseHeaders?.[status] ?? []));
    if (declared.idempotent && status < '300') names.push('Idempotency-Replayed');
    if (status === '401' || status === '403') names.push('WWW-Authenticate');
    if (status === '429') names.push('RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset');
    const isBusy = status === '429' || (status === '503' && isApiRoute(declared));
    // The first request with the same Idempotency-Key may still be in progress.
    if (isBusy || (status === '409' && declared.idempotent)) names.push('Retry-After');
    const isText = Object.keys(response.content ?? {}).some((type) => COMPRESSED_TYPES.test(type));
    if (status === '200' && isText) names.push('Content-Encoding');
    if (status === '200' && (isText || isNegotiated)) names.push('Vary');
    const references = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
    response.headers = { ...response.headers, ...Object.fromEntries(references) };
  }
}

/** @param codes the error codes of the status that the operation can have; default: all */
function errorResponse(
  { type, name }: Declared['errorFormat'],
  status: number,
  ...codes: ErrorCode[]
): OpenAPIV3_1.ResponseObject {
  const description = codes.map(problemTitle).join('; ') || problems(status)[status]!.description;
  return { description, content: { [type]: { schema: { $ref: `#/components/schemas/${name}` } } } };
}
