import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import Fastify from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';
import { readConfig } from '../../../src/config/read.ts';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { ERROR_CODES } from '../../../src/errors.ts';
import { buildApp } from '../../../src/http/app.ts';
import { registerOpenapi } from '../../../src/http/openapi/generation.ts';
import type { Services } from '../../../src/http/services.ts';
import { assertProblem, startService } from '../../support/start-service.ts';

type Schema = OpenAPIV3_1.SchemaObject & { $ref?: string };
type Media = { schema?: Schema; example?: unknown; examples?: object };

const { app } = await startService({ after });
const document: OpenAPIV3_1.Document = (await app.inject('/openapi.json')).json();
const schemas = document.components!.schemas as Record<string, Schema>;
const operations = Object.entries(document.paths!).flatMap(([path, item]) =>
  Object.entries(item as Record<string, OpenAPIV3_1.OperationObject>).map(([method, operation]) => ({
    title: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

const resolve = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : schemas[schema.$ref.replace('#/components/schemas/', '')]!;

/** Whether the body has an example. Bytes and text need none, because their description is enough. */
function hasExample(media: Media): boolean {
  const schema = resolve(media.schema!);
  if (schema.type === 'string') return true;
  if (schema.contentMediaType !== undefined || media.example !== undefined || media.examples !== undefined)
    return true;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return true;
  // A form is described by its parts.
  return Object.values(schema.properties ?? {}).some((property) => (property as Schema).type === 'array');
}

test('openapi.json in the repository equals the served document', async () => {
  const committed = JSON.parse(
    await readFile(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8'),
  );
  assert.deepEqual(committed, document);
  const bare = await buildApp({} as Services, readConfig({}));
  await bare.ready();
  assert.deepEqual(JSON.parse(JSON.stringify(await bare.openapi())), document);
  await bare.close();
});

test('a document that could not be generated is generated for a later request', async () => {
  const failing = Fastify();
  failing.decorate('basePath', '');
  await registerOpenapi(failing);
  let fails = false;
  failing.addHook('onRoute', (route) => {
    Object.defineProperty(route, 'config', {
      get() {
        if (fails) throw new Error('The route cannot be read.');
        return {};
      },
    });
  });
  failing.get('/v1/test', async () => null);
  await failing.ready();
  const statuses = async () => [
    (await failing.inject('/openapi.json')).statusCode,
    (await failing.inject('/docs')).statusCode,
  ];
  fails = true;
  assert.deepEqual(await statuses(), [500, 500]);
  fails = false;
  assert.deepEqual(await statuses(), [200, 200]);
  await failing.close();
});

test('every operation has a summary, a description of its own, a described tag, and a unique id', () => {
  const described = document.tags!.map((tag) => tag.name);
  for (const { title, operation } of operations) {
    assert.ok(operation.summary, title);
    // At least one sentence that says more than the summary.
    assert.match(operation.description ?? '', /^.{40,}\.$/s, `${title} needs a description`);
    assert.ok(
      !operation.description!.includes(operation.summary),
      `${title}: the description is the summary`,
    );
    assert.equal(operation.tags?.length, 1, title);
    assert.ok(described.includes(operation.tags[0]!), title);
    assert.ok(operation.operationId, title);
  }
  assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
});

test('the document names its authors and its licence', () => {
  assert.deepEqual(document.info.contact, { name: 'The Atelier authors' });
  assert.deepEqual(document.info.license, { name: 'MIT', identifier: 'MIT' });
});

/** Rules of schemas that generators need. Each names what it forbids. */
const RULES: Readonly<Record<string, (schema: Schema & Record<string, unknown>) => boolean>> = {
  'prefixItems, or items: false': (schema) => 'prefixItems' in schema || schema['items'] === false,
  'an object as a default': ({ default: value }) =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
  'typed additionalProperties beside properties': ({ properties, additionalProperties }) =>
    properties !== undefined && typeof additionalProperties === 'object',
  'minItems that equals maxItems': ({ minItems, maxItems }) =>
    minItems !== undefined && minItems === maxItems,
  'a oneOf whose alternatives may omit their type': ({ oneOf }) =>
    (oneOf as Schema[] | undefined)?.some(
      ({ properties, required }) => properties?.['type'] && !required?.includes('type'),
    ) ?? false,
};

/** Every object in the document, with its JSON pointer. Examples are data. */
function* objectsIn(node: object, pointer = ''): Generator<[string, Schema & Record<string, unknown>]> {
  if (!Array.isArray(node)) yield [pointer, node as Schema & Record<string, unknown>];
  for (const [key, value] of Object.entries(node)) {
    if (typeof value !== 'object' || value === null || key === 'example' || key === 'examples') continue;
    yield* objectsIn(value, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

for (const [what, isForbidden] of Object.entries(RULES)) {
  test(`no schema has ${what}`, () => {
    const found = [...objectsIn(document)].filter(([, schema]) => isForbidden(schema));
    assert.deepEqual(
      found.map(([pointer]) => pointer),
      [],
    );
  });
}

test('what a published schema omits is described', () => {
  const { properties } = schemas['TrainingRequest']!.properties!['training'] as Schema;
  const { schedule, epochs } = properties as Record<string, Schema>;
  assert.deepEqual(
    [schedule!.description, schedule!.default],
    ['Default: `{"type":"constant"}`.', undefined],
  );
  assert.equal(epochs!.default, 10);
  const [grey] = schemas['ImageShape']!.anyOf as Schema[];
  assert.deepEqual(grey, {
    type: 'array',
    items: { type: 'integer', minimum: 8, maximum: 64 },
    maxItems: 2,
    description: 'Exactly 2 items.',
  });
});

test('a default that is not published still applies, and its schema is still strict', async () => {
  const training = { schedule: {} };
  const payload = { dataset: 'fashion-mnist', training };
  const response = await app.inject({ method: 'POST', url: '/v1/training-jobs', payload });
  assertProblem(response, 400, 'invalid-request', '#/training/schedule/type');
  const parsed = trainingRequestSchema.parse({ dataset: 'fashion-mnist' });
  assert.deepEqual([parsed.training.schedule, parsed.metadata], [{ type: 'constant' }, {}]);
});

test('every body and response has an example or is described as binary', () => {
  for (const { title, operation } of operations) {
    const body = operation.requestBody as OpenAPIV3_1.RequestBodyObject | undefined;
    const answers = Object.entries(operation.responses!).flatMap(([status, response]) =>
      Object.entries((response as OpenAPIV3_1.ResponseObject).content ?? {}).map(
        ([type, media]) => [`${status} ${type}`, media] as const,
      ),
    );
    for (const [name, media] of [...Object.entries(body?.content ?? {}), ...answers]) {
      assert.ok(hasExample(media as Media), `${title}: ${name} has no example`);
    }
  }
});

const OF_TENSORFLOW = /:(predict|explain)$|\/metadata$|\/labels\//;

test('every operation under /v1 documents its errors as problems', () => {
  for (const { title, operation } of operations.filter(
    ({ title }) => /\/v1\//.test(title) && !OF_TENSORFLOW.test(title),
  )) {
    const failures = Object.entries(operation.responses!).filter(([status]) => Number(status) >= 400);
    assert.ok(
      failures.some(([status]) => status === '400'),
      title,
    );
    // A copy may have a new name.
    if (title.includes('{') && title !== 'POST /v1/models/{name}/versions')
      assert.ok(
        failures.some(([status]) => status === '404'),
        title,
      );
    if (operation.requestBody) {
      for (const needed of ['413', '415', '422'])
        assert.ok(
          failures.some(([status]) => status === needed),
          title,
        );
    }
    for (const [status, failure] of failures) {
      const { content, description } = failure as OpenAPIV3_1.ResponseObject;
      assert.deepEqual(Object.keys(content!), ['application/problem+json'], `${title} ${status}`);
      assert.equal(
        (content!['application/problem+json']!.schema as Schema).$ref,
        '#/components/schemas/Problem',
      );
      assert.ok(description, `${title} ${status}`);
    }
  }
});

test("every operation of another protocol documents its errors in the protocol's format", () => {
  const shapes = [
    [new RegExp(`/v2|${OF_TENSORFLOW.source}`), '#/components/schemas/ProtocolError'],
    [/ \/(ping|health|version|invocations)$/, '#/components/schemas/MlflowError'],
  ] as const;
  for (const [pattern, shape] of shapes) {
    const found = operations.filter(({ title }) => pattern.test(title));
    assert.ok(found.length > 2);
    for (const { title, operation } of found) {
      const failures = Object.entries(operation.responses!).filter(([status]) => status >= '400');
      assert.ok(!failures.some(([status]) => status === '422'), title);
      for (const [status, failure] of failures) {
        // The 503 of this route has the same schema as its 200.
        if (title === 'GET /v2/health/ready') continue;
        const { content } = failure as OpenAPIV3_1.ResponseObject;
        assert.deepEqual(Object.keys(content!), ['application/json'], `${title} ${status}`);
        assert.equal((content!['application/json']!.schema as Schema).$ref, shape, `${title} ${status}`);
      }
    }
  }
});

test('responses are documented with their headers and the common ones', () => {
  const responseOf = (wanted: string, status: string) => {
    const { operation } = operations.find(({ title }) => title === wanted)!;
    return operation.responses![status] as OpenAPIV3_1.ResponseObject;
  };
  const headersOf = (title: string, status: string) => Object.keys(responseOf(title, status).headers!);
  assert.deepEqual(headersOf('POST /v1/training-jobs', '202'), [
    'X-Request-Id',
    'Location',
    'Preference-Applied',
    'Idempotency-Replayed',
  ]);
  assert.deepEqual(headersOf('POST /v1/training-jobs', '429'), [
    'X-Request-Id',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'Retry-After',
  ]);
  assert.deepEqual(headersOf('GET /v1/models', '304'), ['X-Request-Id', 'ETag']);
  assert.deepEqual(headersOf('POST /v1/gradient-checks', '200'), [
    'X-Request-Id',
    'Content-Encoding',
    'Vary',
  ]);
  for (const { title } of operations.filter((each) => each.title.startsWith('POST'))) {
    assert.ok(responseOf(title, '408') && responseOf(title, '503'), title);
  }
  for (const [, name] of JSON.stringify(document.paths).matchAll(/#\/components\/headers\/([\w-]+)/g)) {
    assert.ok(document.components?.headers?.[name!], name);
  }
});

test('writing operations document storage-full, reading ones damaged files', () => {
  const without = (status: string) =>
    operations.filter(({ operation }) => !operation.responses![status]).map(({ title }) => title);
  const writing = without('507').filter((title) => /^(PUT|PATCH|DELETE) /.test(title));
  assert.deepEqual(writing, []);
  assert.ok(!without('507').includes('POST /v1/training-jobs/{id}/verify'));
  assert.ok(!without('507').includes('GET /v1/models/{name}/versions/{version}/export'));
  assert.deepEqual(
    without('500').filter((title) => title.includes('/v1/')),
    [],
  );
  assert.deepEqual(without('417'), []);
});

test('operations that read a data set document dataset-damaged', () => {
  const saying = (status: string, what: RegExp) =>
    operations.flatMap(({ title, operation }) => {
      const response = operation.responses![status] as OpenAPIV3_1.ResponseObject | undefined;
      return what.test(response?.description ?? '') ? [title] : [];
    });
  const damaged = saying('500', /A data set is damaged/);
  for (const title of [
    'GET /v1/datasets/{id}/splits/{split}/images/{index}',
    'POST /v1/training-jobs',
    'POST /v1/gradient-checks',
    'GET /v1/models/{name}/versions/{version}/evaluation',
    'POST /v1/models/{name}/predictions',
  ]) {
    assert.ok(damaged.includes(title), title);
  }
  assert.ok(!damaged.includes('GET /v1/models'));
  const notHttp = saying('400', /not valid HTTP/);
  assert.ok(notHttp.includes('POST /v1/training-jobs'));
  assert.deepEqual(
    notHttp.filter((title) => !title.includes(' /v1/') || OF_TENSORFLOW.test(title)),
    [],
  );
});

test('creating operations document Idempotency-Key and its errors', () => {
  const keyed = operations.filter(({ operation }) =>
    operation.parameters?.some((parameter) => 'name' in parameter && parameter.name === 'Idempotency-Key'),
  );
  assert.deepEqual(
    keyed.map(({ title }) => title),
    [
      'POST /v1/datasets',
      'POST /v1/training-jobs',
      'POST /v1/training-jobs/{id}/verify',
      'POST /v1/searches',
      'POST /v1/models',
      'POST /v1/models/{name}/versions',
      'POST /v1/prediction-jobs',
    ],
  );
  for (const { title, operation } of keyed) {
    for (const status of ['400', '409', '422']) assert.ok(operation.responses![status], `${title} ${status}`);
  }
});

test('every operation except health documents its scope, 401 and 403', () => {
  for (const { title, operation } of operations) {
    const {
      'x-required-scope': scope,
      security,
      responses,
    } = operation as typeof operation & {
      'x-required-scope': string;
    };
    const open = / (\/v2)?\/health\/| \/(ping|health)?$/.test(title);
    const refusals = Object.keys(responses!).filter((status) => ['401', '403'].includes(status));
    assert.deepEqual([scope === 'open', refusals], [open, open ? [] : ['401', '403']], title);
    const needed = scope === 'metrics' ? 'predict' : scope;
    assert.deepEqual(security, open ? [] : [{}, { key: [needed] }], title);
  }
  const schemes = document.components?.securitySchemes as Record<string, OpenAPIV3_1.HttpSecurityScheme>;
  assert.deepEqual([schemes['key']?.type, schemes['key']?.scheme], ['http', 'bearer']);
});

test('prediction bodies are documented, including binary ones', () => {
  const { operation } = operations.find(({ title }) => title === 'POST /v1/models/{name}/predictions')!;
  const { content } = operation.requestBody as OpenAPIV3_1.RequestBodyObject;
  assert.deepEqual(Object.keys(content), [
    'application/json',
    'application/octet-stream',
    'application/x-npy',
    'image/png',
    'image/jpeg',
    'image/webp',
    'multipart/form-data',
  ]);
  for (const [type, { schema }] of Object.entries(content)) {
    if (type !== 'application/json') assert.ok((schema as Schema).description, type);
  }
});

test('the document contains every problem code', () => {
  const code = schemas['Problem']!.properties!['code'] as Schema;
  assert.deepEqual(code.enum, [...ERROR_CODES]);
});

test('/docs uses only files of the service', async () => {
  const seen = new Set<string>();
  async function look(url: string): Promise<void> {
    if (seen.has(url)) return;
    seen.add(url);
    const response = await app.inject(url);
    assert.equal(response.statusCode, 200, url);
    const type = String(response.headers['content-type']);
    const html = type.includes('html');
    const style = type.includes('css');
    if (!html && !style) return;
    const references = html
      ? response.body.matchAll(/(?:src|href)="([^"]+)"/g)
      : response.body.matchAll(/url\(["']?(?!data:)([^"')]+)/g);
    for (const [, reference] of references) {
      if (reference!.startsWith('data:')) continue;
      const target = new URL(reference!, `http://service${url}`);
      assert.equal(target.host, 'service', `${url} refers to ${reference}`);
      await look(target.pathname);
    }
  }
  await look('/docs');
  assert.ok(
    [...seen].some((url) => url.endsWith('swagger-ui-bundle.js')),
    [...seen].join(),
  );
  // By default, Swagger UI sends the document to a validator on the internet.
  const initializer = await app.inject('/docs/static/swagger-initializer.js');
  assert.match(initializer.body, /"?showExtensions"?:\s*true/);
  assert.match(initializer.body, /"?validatorUrl"?:\s*(null|false|"none")/);
  const shown = await app.inject('/docs/json');
  assert.deepEqual(shown.json(), document);
});
