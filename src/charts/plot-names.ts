/** Names of the jobs in one plot: the options in which their requests differ. */
import type { TrainingJob } from '../domain/jobs/training.ts';

/** Options of a name; the last one only if the names are not different without it. */
const MAX_OPTIONS = 3;
/** Named first, as they matter most in a comparison. */
const FIRST = ['training.optimizer.learningRate', 'training.optimizer.type', 'network.hidden'];
/** Named last: the axis of a plot shows the epochs. */
const LAST = ['seed', 'dataset', 'warmStart', 'training.epochs'];
/** Characters of an id that identify a job among the jobs of a plot. */
const ID_CHARACTERS = 6;
/** Longer values, such as ids of data sets, are cut. */
const MAX_VALUE = 16;

type Request = ReadonlyMap<string, string>;

/** @returns one name for each job, all different */
export function plotNames(jobs: readonly TrainingJob[]): string[] {
  const requests = jobs.map(({ dataset, seed, network, training, warmStart }) =>
    flatten({ dataset, seed, network, training, warmStart }),
  );
  const paths = choosePaths(requests);
  const names = requests.map((request) => paths.map((path) => describe(path, request.get(path))).join(', '));
  return jobs.map(({ id }, i) => {
    const name = names[i]!;
    if (name !== '' && names.indexOf(name) === names.lastIndexOf(name)) return name;
    return `${name || 'job'} …${id.slice(-ID_CHARACTERS)}`;
  });
}

/** Options of the names: each time the one that distinguishes most jobs, or the first of those. */
function choosePaths(requests: readonly Request[]): string[] {
  const chosen: string[] = [];
  const count = (...more: string[]) =>
    new Set(requests.map((request) => [...chosen, ...more].map((path) => request.get(path)).join())).size;
  const rest = new Set(
    requests
      .flatMap((request) => [...request.keys()])
      .filter((path) => count(path) > 1)
      .sort((a, b) => rank(a) - rank(b)),
  );
  while (rest.size > 0 && chosen.length < MAX_OPTIONS) {
    const best = [...rest].reduce((a, b) => (count(b) > count(a) ? b : a));
    if (chosen.length === MAX_OPTIONS - 1 && count(best) === count()) break;
    chosen.push(best);
    rest.delete(best);
  }
  return chosen.sort((a, b) => rank(a) - rank(b));
}

function rank(path: string): number {
  return FIRST.includes(path) ? FIRST.indexOf(path) : FIRST.length + 1 + LAST.indexOf(path);
}

/** `learning rate 0.1`; or only the type of the optimizer */
function describe(path: string, value = '–'): string {
  const shown = value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE - 1)}…` : value;
  const name = path.split('.').at(-1)!;
  return name === 'type' ? shown : `${toWords(name)} ${shown}`;
}

/** `batchSize` → `batch size` */
export const toWords = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The leaves of a request by their paths: `training.optimizer.learningRate`. */
export function flatten(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map([[path, Array.isArray(value) ? value.join('-') || 'none' : `${value}`]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, part]) => [...flatten(part, path === '' ? key : `${path}.${key}`)]),
  );
}
