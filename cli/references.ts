/** References to models, as in `name@version`, and the paths of their routes. */
import type { Model } from '../src/domain/models/representation.ts';
import type { Client } from './client.ts';
import { UsageError } from './errors.ts';

interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}
export type ModelPage = Page<Model>;

/** @param reference `name`, `name@version` or `name@alias`; a name alone leaves the choice of the version to the service */
export function modelPath(reference: string): string {
  const [name, version, ...rest] = reference.split('@');
  if (!name || version === '' || rest.length > 0) {
    throw new UsageError(`A model must be given as name, name@version or name@alias, but is "${reference}".`);
  }
  const path = `/v1/models/${encodeURIComponent(name)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}

/** Resolves a name alone to a version: its champion, else the newest. */
export async function versionPath(client: Client, reference: string): Promise<string> {
  const path = modelPath(reference);
  if (reference.includes('@')) return path;
  const { aliases, latest } = await client.json<Model>(path);
  return `${path}/versions/${aliases['champion'] ?? latest.version}`;
}

/** @returns the name of the only model of the service @throws UsageError without models, or for several */
export async function onlyModel(client: Client): Promise<string> {
  const { data } = await client.json<ModelPage>('/v1/models?limit=5');
  if (data.length === 1) return data[0]!.name;
  if (data.length === 0) throw new UsageError('The service has no model yet. Train or import one first.');
  const names = data.map(({ name }) => name).join(', ');
  throw new UsageError(`The service has several models, such as ${names}. Choose one with --model.`);
}
