/** orval: a client with fetch, and zod schemas of requests and responses. */
const input = '../../openapi/openapi.json';
// orval reads a response as a Blob if it can also be binary, and cannot send JSON where bytes are an alternative.
const override = {
  contentType: {
    exclude: ['application/octet-stream', 'application/x-npy', 'image/png', 'image/jpeg', 'image/webp'],
  },
  splitByContentType: true,
};
// Read when a request is sent, so that the client can be generated before the service listens.
const baseUrl = { runtime: 'process.env.ATELIER_URL' };

export default {
  fetch: { input, output: { target: 'generated/orval/client.ts', client: 'fetch', baseUrl, override } },
  zod: { input, output: { target: 'generated/orval/zod.ts', client: 'zod' } },
};
