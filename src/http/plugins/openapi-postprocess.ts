/** What holds for every operation of the OpenAPI document, and is not repeated in each route. */
import type { OpenAPIV3_1 } from 'openapi-types';
import type { ErrorCode } from '../../errors.ts';
import { problems, problemTitle } from '../errors/problem.ts';
import { findErrorShape } from '../errors/protocol-errors.ts';
import type { RouteScope } from './route-scopes.ts';

const HEADERS: Readonly<Record<string, OpenAPIV3_1.HeaderObject>> = {
  'X-Request-Id': {
    description:
      'That of the request where it had one of at most 128 letters, digits and . _ : -, else a new one',
    schema: { type: 'string' },
  },
  'Idempotency-Replayed': {
    description: 'The answer is that of an earlier request with the same Idempotency-Key',
    schema: { type: 'string', enum: ['true'] },
  },
  Location: { description: 'Path of what was created', schema: { type: 'string', format: 'uri-reference' } },
  'WWW-Authenticate': {
    description: 'RFC 6750: what kind of key, and what is wrong',
    schema: { type: 'string' },
  },
  'RateLimit-Limit': { description: 'Requests a minute', schema: { type: 'integer' } },
  'RateLimit-Remaining': { description: 'Of them, in this minute', schema: { type: 'integer' } },
  'RateLimit-Reset': { description: 'Seconds until the next minute', schema: { type: 'integer' } },
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } },
  'Content-Disposition': { description: 'attachment, with a file name', schema: { type: 'string' } },
  'X-Model-Digest': { description: 'That of the version', schema: { type: 'string' } },
  'X-Export-Max-Difference': {
    description:
      'By how much a probability of the file differs at most from that of the service; 0 where the file holds the very parameters',
    schema: { type: 'number' },
  },
  'X-Export-Checked-Images': {
    description: 'Test images on which the probabilities were compared; 0 where the parameters were',
    schema: { type: 'integer' },
  },
  'Inference-Header-Content-Length': {
    description: 'Bytes of the JSON in front of binary tensors, where there are any',
    schema: { type: 'integer' },
  },
  ETag: { description: 'To be sent back in If-None-Match', schema: { type: 'string' } },
  Vary: {
    description: 'The header that the answer depends on',
    schema: { type: 'string', enum: ['Accept'] },
  },
};
const EXPORT_HEADERS = [
  'Content-Disposition',
  'X-Model-Digest',
  'X-Export-Max-Difference',
  'X-Export-Checked-Images',
];
const SECURITY_SCHEMES = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A key of the service, where it asks for one: not on the loopback address, unless `API_KEYS` is set. Of its scopes ' +
      '`admin` includes `train`, which includes `predict`.',
  },
} as const;
/** Operations that read the pixels of a data set: for themselves, for a training, or to diagnose a picture. */
const READING_DATASETS: ReadonlySet<string> = new Set([
  'getDatasetImage',
  'startTrainingJob',
  'verifyTrainingJob',
  'checkGradient',
  'importModel',
  'exportModelVersion',
  'evaluateModelVersion',
  'compareModelVersions',
  'predict',
  'predictWithVersion',
  'predictWithCheckpoint',
  'explainPrediction',
]);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

type Responses = Record<string, OpenAPIV3_1.ResponseObject>;

/** Changes the document: headers of answers, and the answers that any route may give. */
export function postprocessOpenapi(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  document.components = {
    ...document.components,
    headers: { ...HEADERS },
    securitySchemes: SECURITY_SCHEMES,
  };
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item?.[method];
      if (operation) addCommonResponses(operation, path, method);
    }
  }
  for (const schema of Object.values(document.components.schemas ?? {})) relaxUnions(schema);
  return document;
}

/** Where an alternative may leave its `type` out, as `sgd` may, the schemas alone do not tell the alternatives apart. */
function relaxUnions(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const value of Object.values(schema)) relaxUnions(value);
  const { oneOf, ...rest } = schema as OpenAPIV3_1.SchemaObject;
  const isAmbiguous = (oneOf as OpenAPIV3_1.SchemaObject[] | undefined)?.some(
    ({ properties, required }) => properties?.['type'] && !required?.includes('type'),
  );
  if (!isAmbiguous) return;
  delete (schema as OpenAPIV3_1.SchemaObject).oneOf;
  Object.assign(schema, { ...rest, anyOf: oneOf });
}

function addCommonResponses(operation: OpenAPIV3_1.OperationObject, path: string, method: string): void {
  const responses = operation.responses as Responses;
  const polled = method === 'get' && path.startsWith('/v1/');
  const isApiRoute = path.startsWith('/v1/') || findErrorShape(path) !== findErrorShape('/v1/');
  if (isApiRoute) responses['503'] ??= errorResponse(path, 503);
  const damaged = READING_DATASETS.has(operation.operationId!) ? (['dataset-damaged'] as const) : [];
  if (isApiRoute) responses['500'] = errorResponse(path, 500, 'internal-error', 'state-unusable', ...damaged);
  responses['417'] ??= errorResponse(path, 417);
  const scope = (operation as ScopedOperation)['x-required-scope'];
  const writes = path.startsWith('/v1/') && method !== 'get' && scope !== 'predict';
  if (writes) responses['507'] ??= errorResponse(path, 507);
  if (method === 'post') responses['408'] ??= errorResponse(path, 408);
  addSecurity(operation as ScopedOperation, path);
  const restoreHeaderCase = (header: string) => {
    const found = listParameters(operation).find(({ name }) => name === header.toLowerCase());
    if (found) found.name = header;
    return found;
  };
  const key = restoreHeaderCase('Idempotency-Key');
  const jsonLength = restoreHeaderCase('Inference-Header-Content-Length');
  if (polled) responses['304'] = { description: 'Unchanged since the answer whose ETag is in If-None-Match' };
  for (const [status, response] of Object.entries(responses)) {
    const names = ['X-Request-Id'];
    if (polled && (status === '200' || status === '304')) names.push('ETag');
    if (status === '202' && operation.operationId?.startsWith('start')) names.push('Location');
    if (status === '201' && operation.operationId === 'importModel') names.push('Location');
    if (status === '200' && operation.operationId === 'exportModelVersion') names.push(...EXPORT_HEADERS);
    if (status < '300' && operation.operationId === 'uploadDataset') names.push('Location');
    if (jsonLength && status === '200') names.push(jsonLength.name);
    if (key && status < '300') names.push('Idempotency-Replayed');
    if (status === '401' || status === '403') names.push('WWW-Authenticate');
    if (status === '429') names.push('RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset');
    if (status === '429' || (status === '503' && isApiRoute)) names.push('Retry-After');
    if (status === '200' && '406' in responses) names.push('Vary');
    const references = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
    response.headers = { ...response.headers, ...Object.fromEntries(references) };
  }
}

type ScopedOperation = OpenAPIV3_1.OperationObject & { 'x-required-scope': RouteScope };

function addSecurity(operation: ScopedOperation, path: string): void {
  const scope = operation['x-required-scope'];
  if (scope === 'open') {
    operation.security = [];
    return;
  }
  const isPrivate = scope !== 'docs' && scope !== 'metrics';
  // By configuration: `{}` is the alternative to have no key.
  operation.security = isPrivate ? [{ key: [scope] }] : [{}, { key: ['predict'] }];
  const responses = operation.responses as Responses;
  for (const status of [401, 403, 429] as const) responses[status] ??= errorResponse(path, status);
}

function listParameters(operation: OpenAPIV3_1.OperationObject): OpenAPIV3_1.ParameterObject[] {
  return (operation.parameters ?? []) as OpenAPIV3_1.ParameterObject[];
}

/** @param codes those that a request can meet, where the status has others */
function errorResponse(path: string, status: number, ...codes: ErrorCode[]): OpenAPIV3_1.ResponseObject {
  const description = codes.map(problemTitle).join('; ') || problems(status)[status]!.description;
  const { type, name } = findErrorShape(path);
  return {
    description,
    content: { [type]: { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}
