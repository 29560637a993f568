/** The OpenAPI document, made from the schemas of the routes, and the page that shows it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import packageJson from '../../../package.json' with { type: 'json' };
import { examples } from '../examples/contract.ts';
import { postprocessOpenapi } from './openapi-postprocess.ts';
import { DOCS_PAGE_POLICY } from './security-headers.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** OpenAPI `content` of a request body that Fastify itself does not validate. */
    requestContent?: Record<string, object>;
  }
}

const TAGS = [
  { name: 'datasets', description: 'What can be trained on' },
  { name: 'training', description: 'Training jobs, from start to published model' },
  { name: 'gradients', description: 'Proof that the gradients are right' },
  { name: 'models', description: 'What training jobs published' },
  { name: 'predictions', description: 'Labels for images' },
  {
    name: 'inference-v2',
    description: 'The Open Inference Protocol v2, as KServe, Triton and Seldon clients speak it',
  },
  { name: 'tensorflow', description: "TensorFlow Serving's predict API" },
  { name: 'mlflow', description: "MLflow's scoring server" },
  { name: 'health', description: 'For whatever watches over the service' },
];

/** Before the routes: their schemas are collected as they are registered. */
export async function registerOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Atelier',
        version: packageJson.version,
        description: packageJson.description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This service' }],
      tags: TAGS,
    },
    transform(route) {
      const { requestContent, ...schema } = route.schema ?? {};
      const transformed = jsonSchemaTransform({ ...route, schema });
      Object.assign(transformed.schema, { 'x-required-scope': route.route.config?.scope });
      // A copy, because @fastify/swagger changes what it is given.
      if (requestContent) transformed.schema['body'] = { content: structuredClone(requestContent) };
      return transformed;
    },
    transformObject(document) {
      const object = dropUnusedSchemas(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document);
      for (const [id, schema] of Object.entries(object.components?.schemas ?? {})) {
        if (examples[id]) Object.assign(schema, { examples: [examples[id]] });
      }
      return postprocessOpenapi(object);
    },
  });
  await app.register(async (docs) => {
    docs.decorate('routeScope', 'docs');
    await docs.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_PAGE_POLICY });
    docs.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  });
}

/** Every named schema comes out twice, as sent (`…Input`) and as answered; only what the paths refer to stays. */
function dropUnusedSchemas(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas = { ...document.components?.schemas };
  const text = () => JSON.stringify({ ...document, components: { ...document.components, schemas } });
  const isUsed = (id: string) => text().includes(`"#/components/schemas/${id}"`);
  for (let unused = Object.keys(schemas); unused.length > 0; ) {
    unused = Object.keys(schemas).filter((id) => !isUsed(id));
    for (const id of unused) delete schemas[id];
  }
  const renamed = Object.keys(schemas).reduce((json, id) => {
    const plain = id.replace(/Input$/, '');
    if (plain === id || plain in schemas) return json;
    return json
      .replaceAll(`"#/components/schemas/${id}"`, `"#/components/schemas/${plain}"`)
      .replace(`"${id}":`, `"${plain}":`);
  }, text());
  return JSON.parse(renamed);
}
