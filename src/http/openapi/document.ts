/** The application that answers for the OpenAPI document and the page /docs, loaded with its libraries on first use. */
import { setImmediate } from 'node:timers/promises';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import packageJson from '../../../package.json' with { type: 'json' };
import { PROBLEM_ERRORS } from '../errors/protocol-errors.ts';
import { ZOD_COMPILERS } from '../validation/zod-validator.ts';
import { registerDocsPage } from './docs-page.ts';
import { readExamples } from './examples.ts';
import { postprocessOpenapi } from './postprocess.ts';
import { WEBHOOKS } from './webhooks.ts';

/** Takes a few milliseconds. */
const ROUTES_AT_ONCE = 20;

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

/**
 * Generates the document from the schemas of `routes`.
 * @param basePath path under which a proxy serves the service
 */
export async function createDocs(
  routes: readonly RouteOptions[],
  basePath: string,
): Promise<Pick<FastifyInstance, 'inject' | 'swagger'>> {
  const examples = await readExamples();
  const docs = Fastify({ exposeHeadRoutes: false, schemaController: { compilersFactory: ZOD_COMPILERS } });
  await docs.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Atelier',
        version: packageJson.version,
        description: packageJson.description,
        contact: { name: packageJson.author },
        license: { name: packageJson.license, identifier: packageJson.license },
      },
      servers: [{ url: basePath || '/', description: 'This service' }],
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
      if (requestContent) {
        const { body } = transformed.schema;
        const json = body === undefined ? {} : { 'application/json': { schema: body } };
        // A copy, because @fastify/swagger modifies it.
        transformed.schema['body'] = { content: { ...json, ...structuredClone(requestContent) } };
      }
      return transformed;
    },
    transformObject(document) {
      const object = jsonSchemaTransformObject(document) as OpenAPIV3_1.Document;
      return postprocessOpenapi({ ...object, webhooks: structuredClone(WEBHOOKS) }, examples);
    },
  });
  for (const [n, { method, url, schema, config }] of routes.entries()) {
    // Other requests do not wait for all of them.
    if (n % ROUTES_AT_ONCE === 0) await setImmediate();
    docs.route({ method, url, ...(schema && { schema }), ...(config && { config }), handler: () => {} });
  }
  await registerDocsPage(docs, basePath);
  await docs.ready();
  return docs;
}
