/** Names of the jobs in one plot: the options in which their requests differ. */
import type { TrainingJob } from '../../domain/training-job.ts';

/** Options of a name. */
const MAX_OPTIONS = 2;
const EPOCHS = 'training.epochs';
/** Characters of an id that identify a job among those of a plot. */
const ID_CHARACTERS = 6;

/** @returns one name for each job, all different */
export function plotNames(jobs: readonly TrainingJob[]): string[] {
  const requests = jobs.map(({ dataset, seed, network, training, warmStart }) =>
    flatten({ dataset, seed, network, training, warmStart }),
  );
  const paths = [...new Set(requests.flatMap((request) => [...request.keys()]))];
  const differing = paths
    .filter((path) => new Set(requests.map((request) => request.get(path))).size > 1)
    // The axis of the plot shows the epochs.
    .sort((a, b) => Number(a === EPOCHS) - Number(b === EPOCHS));
  const names = requests.map((request) =>
    differing
      .slice(0, MAX_OPTIONS)
      .map((path) => `${toWords(path.split('.').at(-1)!)} ${request.get(path) ?? '–'}`)
      .join(', '),
  );
  const ids = jobs.map(({ id }) => `…${id.slice(-ID_CHARACTERS)}`);
  if (new Set(names).size === names.length && differing.length > 0) return names;
  return ids.map((id, i) => (names[i] === '' ? `job ${id}` : `${names[i]} ${id}`));
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
