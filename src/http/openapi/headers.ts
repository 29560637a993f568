/** Response headers in the OpenAPI document, referred to by name. */
import type { OpenAPIV3_1 } from 'openapi-types';

export const HEADERS = {
  'X-Request-Id': {
    description:
      'The id of the request if it sent one of at most 128 letters, digits and . _ : -, otherwise a new one',
    schema: { type: 'string' },
  },
  'Idempotency-Replayed': {
    description: 'Repeats the response to an earlier request with the same Idempotency-Key',
    schema: { type: 'string', enum: ['true'] },
  },
  Location: {
    description: 'Path of the created resource',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'WWW-Authenticate': {
    description: 'RFC 6750: the kind of key that is required, and the error',
    schema: { type: 'string' },
  },
  'RateLimit-Limit': { description: 'Requests per minute', schema: { type: 'integer' } },
  'RateLimit-Remaining': { description: 'Requests left in this minute', schema: { type: 'integer' } },
  'RateLimit-Reset': { description: 'Seconds until the next minute', schema: { type: 'integer' } },
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } },
  'Content-Disposition': {
    description: 'attachment or inline, with a file name',
    schema: { type: 'string' },
  },
  'X-Model-Name': {
    description: 'The model that predicted, or the id of the training job of a checkpoint',
    schema: { type: 'string' },
  },
  'X-Model-Version': {
    description: 'The version that predicted, or the step of a checkpoint',
    schema: { type: 'integer' },
  },
  'X-Model-Digest': { description: 'Digest of the version', schema: { type: 'string' } },
  'X-Export-Max-Difference': {
    description:
      'Largest difference between a probability computed from the file and by the service; 0, because the file holds the exact parameters',
    schema: { type: 'number' },
  },
  'X-Export-Checked-Images': {
    description:
      'Number of test images on which the probabilities were compared; 0, because the parameters were compared',
    schema: { type: 'integer' },
  },
  'Inference-Header-Content-Length': {
    description: 'Bytes of the JSON before the binary tensors; absent without binary tensors',
    schema: { type: 'integer' },
  },
  ETag: {
    description: 'Entity tag of the response, to send in If-None-Match, If-Match or If-Range',
    schema: { type: 'string' },
  },
  'Accept-Ranges': {
    description: 'Unit of Range that the resource supports',
    schema: { type: 'string', enum: ['bytes'] },
  },
  'Content-Range': {
    description: 'Position of the range in the file, and the size of the file',
    schema: { type: 'string' },
  },
  'Cache-Control': {
    description: 'Whether the response may be used again without asking: `immutable` if it never changes',
    schema: { type: 'string' },
  },
  'Content-Encoding': {
    description: 'gzip for text of more than 1 KiB, if Accept-Encoding allows it; otherwise absent',
    schema: { type: 'string', enum: ['gzip'] },
  },
  Vary: {
    description:
      'Request headers that the response depends on, such as Accept, Prefer and, for text of more than 1 KiB, Accept-Encoding',
    schema: { type: 'string' },
  },
  'Preference-Applied': {
    description: 'The preference of `Prefer` that the service followed (RFC 7240)',
    schema: { type: 'string' },
  },
} as const satisfies Readonly<Record<string, OpenAPIV3_1.HeaderObject>>;

export type HeaderName = keyof typeof HEADERS;
