/** The OpenAPI document, generated from the route schemas. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import packageJson from '../../../package.json' with { type: 'json' };
import { PROBLEM_ERRORS } from '../errors/protocol-errors.ts';
import { examples } from '../examples/contract.ts';
import { type Prepared, sendPrepared } from '../responses/prepared.ts';
import { registerDocsPage } from './docs-page.ts';
import { contentTag } from './etag.ts';
import type { HeaderName } from './openapi-headers.ts';
import { postprocessOpenapi } from './openapi-postprocess.ts';
import { WEBHOOKS } from './openapi-webhooks.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** OpenAPI `content` of a request body that Fastify does not validate. */
    requestContent?: Record<string, object>;
    /** Documented headers of responses, by status, beyond those of every route. */
    responseHeaders?: Readonly<Record<number, readonly HeaderName[]>>;
    /** The route reads the pixels of a data set, so 500 `dataset-damaged` is documented. */
    readsDataset?: true;
    /** False for /health and /metrics, which do not document the 500 and 503 that all other routes document. */
    commonErrors?: false;
  }
}

const TAGS = [
  { name: 'datasets', description: 'Data sets to train on' },
  { name: 'training', description: 'Training jobs, from start to published model' },
  { name: 'searches', description: 'Searches for the best options of a training' },
  { name: 'gradients', description: 'Gradient checks against finite differences' },
  { name: 'models', description: 'Published models, their versions and aliases' },
  { name: 'predictions', description: 'Predictions and explanations for images' },
  {
    name: 'inference-v2',
    description: 'The Open Inference Protocol v2 of KServe, Triton and Seldon clients',
  },
  { name: 'kserve-v1', description: "KServe's v1 protocol, beside TensorFlow Serving's predict API" },
  { name: 'tensorflow', description: "TensorFlow Serving's predict API" },
  { name: 'mlflow', description: "MLflow's scoring server" },
  { name: 'health', description: 'Health and metrics, for monitoring' },
];

/** Collects the schemas of the routes that are added afterwards. */
export async function registerOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Atelier',
        version: packageJson.version,
        description: packageJson.description,
        contact: { name: packageJson.author },
        license: { name: packageJson.license, identifier: packageJson.license },
      },
      servers: [{ url: app.basePath || '/', description: 'This service' }],
      tags: TAGS,
    },
    transform(route) {
      const { requestContent, responseHeaders, readsDataset, commonErrors, ...schema } = route.schema ?? {};
      const transformed = jsonSchemaTransform({ ...route, schema });
      const { scope, idempotent, etag, errorFormat = PROBLEM_ERRORS } = route.route.config ?? {};
      const { type, name } = errorFormat;
      Object.assign(transformed.schema, {
        'x-required-scope': scope,
        // Removed again by postprocessOpenapi.
        'x-declared': {
          responseHeaders,
          readsDataset,
          commonErrors,
          idempotent,
          etag,
          errorFormat: { type, name },
        },
      });
      // A copy, because @fastify/swagger modifies it.
      if (requestContent) transformed.schema['body'] = { content: structuredClone(requestContent) };
      return transformed;
    },
    transformObject(document) {
      const object = jsonSchemaTransformObject(document) as OpenAPIV3_1.Document;
      return postprocessOpenapi({ ...object, webhooks: structuredClone(WEBHOOKS) }, examples);
    },
  });
  await app.register(async (docs) => {
    docs.decorate('routeScope', 'docs');
    await registerDocsPage(docs, app.basePath);
    let document: Prepared | undefined;
    docs.get('/openapi.json', { schema: { hide: true } }, async (request, reply) => {
      document ??= render(app.swagger());
      return sendPrepared(request, reply, document.tag, async () => document!);
    });
  });
}

function render(document: object): Prepared {
  const bytes = Buffer.from(JSON.stringify(document));
  return { tag: contentTag(bytes), bytes };
}
