/** References to models and ids of jobs, searches and data sets, and the paths of their routes. */
import type { Model } from '../src/domain/models/representation.ts';
import type { Client } from './client.ts';
import { UsageError } from './errors.ts';

interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}
export type ModelPage = Page<Model>;

const RUNS = {
  job: ['job', 'training-jobs'],
  sea: ['search', 'searches'],
  prd: ['prediction job', 'prediction-jobs'],
} as const;
const KINDS = { ...RUNS, dst: ['data set', 'datasets'] } as const;
type Noun = (typeof KINDS)[keyof typeof KINDS][0];

export interface Resource<N extends string = Noun | 'version' | 'model'> {
  readonly noun: N;
  readonly path: string;
}

/** @param reference the id of a job, a search, a prediction job or a data set, or a reference to a model */
export function findResource(reference: string): Resource {
  const prefix = /^(\w{3})_[^@]*$/.exec(reference)?.[1] ?? '';
  if (!Object.hasOwn(KINDS, prefix)) {
    return { noun: reference.includes('@') ? 'version' : 'model', path: modelPath(reference) };
  }
  const [noun, collection] = KINDS[prefix as keyof typeof KINDS];
  return { noun, path: `/v1/${collection}/${encodeURIComponent(reference)}` };
}

/** @throws UsageError for anything but the id of a job, a search or a prediction job */
export function findRun(id: string): Resource<(typeof RUNS)[keyof typeof RUNS][0]> {
  const { noun, path } = findResource(id);
  if (noun === 'job' || noun === 'search' || noun === 'prediction job') return { noun, path };
  throw new UsageError(
    `The id of a job (job_…), a search (sea_…) or a prediction job (prd_…) is needed, but it is "${id}".`,
  );
}

/** @param reference `name`, `name@version` or `name@alias`; a name alone leaves the choice of the version to the service */
export function modelPath(reference: string): string {
  const [name, version, ...rest] = reference.split('@');
  if (!name || version === '' || rest.length > 0) {
    throw new UsageError(`A model must be given as name, name@version or name@alias, but is "${reference}".`);
  }
  const path = `/v1/models/${encodeURIComponent(name)}`;
  return version === undefined ? path : `${path}/versions/${encodeURIComponent(version)}`;
}

/** @throws UsageError for a version */
export function wholeModelPath(name: string): string {
  if (!name.includes('@')) return modelPath(name);
  throw new UsageError(`The name of a model without a version is needed, but it is "${name}".`);
}

export const aliasPath = (name: string, alias: string): string =>
  `${wholeModelPath(name)}/aliases/${encodeURIComponent(alias)}`;

/** Resolves a name alone to a version: its champion, else the newest. */
export async function versionPath(client: Client, reference: string): Promise<string> {
  const path = modelPath(reference);
  if (reference.includes('@')) return path;
  return `${path}/versions/${servedVersion(await client.json<Model>(path))}`;
}

/** The version that the name of a model alone means. */
export const servedVersion = ({ aliases, latest }: Model): number => aliases['champion'] ?? latest.version;

/** @returns the name of the only model of the service @throws UsageError without models, or for several */
export async function onlyModel(client: Client): Promise<string> {
  const { data } = await client.json<ModelPage>('/v1/models?limit=5');
  if (data.length === 1) return data[0]!.name;
  if (data.length === 0) throw new UsageError('The service has no model yet. Train or import one first.');
  const names = data.map(({ name }) => name).join(', ');
  throw new UsageError(`The service has several models, such as ${names}. Choose one with --model.`);
}
