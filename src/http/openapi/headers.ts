/** Response headers in the OpenAPI document, referred to by name. */
import type { OpenAPIV3_1 } from 'openapi-types';

const header = (type: 'string' | 'integer' | 'number') => (description: string) => ({
  description,
  schema: { type },
});
const [string, integer, number] = [header('string'), header('integer'), header('number')];

export const HEADERS = {
  'X-Request-Id': string(
    'The id of the request if it sent one of at most 128 letters, digits and . _ : -, otherwise a new one',
  ),
  'Idempotency-Replayed': {
    description: 'Repeats the response to an earlier request with the same Idempotency-Key',
    schema: { type: 'string', enum: ['true'] },
  },
  Location: {
    description: 'Path of the created resource',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'WWW-Authenticate': string('RFC 6750: the kind of key that is required, and the error'),
  'RateLimit-Limit': integer('Requests per minute'),
  'RateLimit-Remaining': integer('Requests left in this minute'),
  'RateLimit-Reset': integer('Seconds until the next minute'),
  'Retry-After': integer('Seconds to wait'),
  'Content-Disposition': string('attachment or inline, with a file name'),
  'X-Model-Name': string('The model that predicted, or the id of the training job of a checkpoint'),
  'X-Model-Version': integer('The version that predicted, or the step of a checkpoint'),
  'X-Model-Digest': string('Digest of the version'),
  'X-Export-Max-Difference': number(
    'Largest difference between a probability computed from the file and by the service; 0, because the file holds the exact parameters',
  ),
  'X-Export-Checked-Images': integer(
    'Number of test images on which the probabilities were compared; 0, because the parameters were compared',
  ),
  'Inference-Header-Content-Length': integer(
    'Bytes of the JSON before the binary tensors; absent without binary tensors',
  ),
  ETag: string('Entity tag of the response, to send in If-None-Match, If-Match or If-Range'),
  'Accept-Ranges': {
    description: 'Unit of Range that the resource supports',
    schema: { type: 'string', enum: ['bytes'] },
  },
  'Content-Range': string('Position of the range in the file, and the size of the file'),
  'Cache-Control': string(
    'Whether the response may be used again without asking: `immutable` if it never changes',
  ),
  'Content-Encoding': {
    description: 'gzip for text of more than 1 KiB, if Accept-Encoding allows it; otherwise absent',
    schema: { type: 'string', enum: ['gzip'] },
  },
  Vary: string(
    'Request headers that the response depends on, such as Accept, Prefer and, for text of more than 1 KiB, Accept-Encoding',
  ),
  'Preference-Applied': string('The preference of `Prefer` that the service followed (RFC 7240)'),
} as const satisfies Readonly<Record<string, OpenAPIV3_1.HeaderObject>>;

export type HeaderName = keyof typeof HEADERS;
