/** CORS: pages of the configured origins may read responses. */
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { MODEL_HEADERS } from '../../responses/model-headers.ts';

const EXPOSED_HEADERS = [
  'X-Request-Id',
  'Location',
  'ETag',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Idempotency-Replayed',
  'Preference-Applied',
  'X-Label',
  'X-Class-Name',
  'Accept-Ranges',
  'Content-Range',
  'Content-Disposition',
  ...MODEL_HEADERS,
  'X-Model-Digest',
  'X-Export-Max-Difference',
  'X-Export-Checked-Images',
  'Inference-Header-Content-Length',
];
const PREFLIGHT_MAX_AGE_SECONDS = 600;

export async function registerCors(app: FastifyInstance, origins: readonly string[] = []): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    strictPreflight: false,
  });
}
