/** The examples of the OpenAPI document, read from openapi/examples. */
import { readdir, readFile } from 'node:fs/promises';
import type { OpenAPIV3_1 } from 'openapi-types';
import { EVENT_STREAM_TYPE } from '../responses/events/reconnect-stream.ts';

const FOLDER = new URL('../../../openapi/examples/', import.meta.url);

type Json = Readonly<Record<string, unknown>>;

/**
 * Returns the examples by component id. `$ref` is a JSON pointer into all files together: the members of that example stand
 * in its place among the others, or the example itself if it is the only member.
 */
export async function readExamples(): Promise<Json> {
  const names = await readdir(FOLDER);
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, FOLDER), 'utf8')));
  const all: Json = Object.assign({}, ...texts.map((text) => JSON.parse(text)));

  function follow(pointer: unknown): unknown {
    const [, ...path] = String(pointer).split('/');
    return resolve(path.reduce<unknown>((value, name) => (value as Json)[name], all));
  }
  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value);
    if (members.length === 1 && members[0]![0] === '$ref') return follow(members[0]![1]);
    return Object.fromEntries(
      members.flatMap(([name, each]) =>
        name === '$ref' ? Object.entries(follow(each) as Json) : [[name, resolve(each)]],
      ),
    );
  }
  return resolve(all) as Json;
}

/** Adds an example to each component, and the first event of a list to the stream of the same events. */
export function addExamples({ components, paths }: OpenAPIV3_1.Document, examples: Json): void {
  for (const [id, schema] of Object.entries(components?.schemas ?? {})) {
    if (examples[id]) Object.assign(schema, { examples: [examples[id]] });
  }
  for (const path of Object.values(paths ?? {})) {
    const response = path?.get?.responses?.['200'] as OpenAPIV3_1.ResponseObject | undefined;
    const { 'application/json': list, [EVENT_STREAM_TYPE]: stream } = response?.content ?? {};
    if (stream === undefined) continue;
    const { $ref } = list!.schema as OpenAPIV3_1.ReferenceObject;
    const { data } = examples[$ref.slice($ref.lastIndexOf('/') + 1)] as { readonly data: readonly Json[] };
    Object.assign(stream.schema!, { examples: [formatStream(data[0]!)] });
  }
}

const formatStream = (event: Json) => `retry: 2000
id: ${event['id']}
event: ${event['type']}
data: ${JSON.stringify(event)}

`;
