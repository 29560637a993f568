/** Fills a database with the rows of three months of use, copied from one real job of each kind. */
import type { Kysely } from 'kysely';
import { encodeTime } from 'ulid';
import type { JobStatus } from '../../src/domain/jobs/status.ts';
import { PURPOSE, randomUniform } from '../../src/numerics/random.ts';
import type { Database } from '../../src/store/database/tables.ts';
import { toLabels } from '../../src/store/jobs/labels.ts';
import { createBatches } from './row-batches.ts';
import { readSeeds } from './seeds.ts';

export interface Growth {
  readonly jobs: number;
  /** Epochs of all jobs together. */
  readonly epochs: number;
  /** Epochs of the first job. */
  readonly longEpochs: number;
}

/** Ids in ascending order. */
export interface Grown {
  readonly jobs: readonly string[];
  readonly searches: readonly string[];
  readonly predictions: readonly string[];
  /** Name of the model with the fewest versions. */
  readonly rarestModel: string;
}

export const SPAN_MS = 90 * 86_400_000;
const EPOCH = /"epoch":\d+/;
const ULID_RANDOM_CHARS = 16;
/** In each group of this many jobs, the first ones are trials of a search. */
const SEARCH_EVERY = 200;
const TRIALS = 60;
const PREDICTION_EVERY = 20;
const TAG_EVERY = 7;
const JOBS_PER_MODEL = 50;
const TEAMS = 5;
const OWNERS = 50;

/**
 * Model 0 has the most jobs, and each team belongs to one region: a filter by it and another team, or by a team and another
 * region, matches none. Model 1 never fails. Foreign keys must be off.
 */
export async function grow(db: Kysely<Database>, { jobs, epochs, longEpochs }: Growth): Promise<Grown> {
  const seeds = await readSeeds(db);
  const { add, flush } = createBatches(db);
  const start = Date.now() - SPAN_MS;
  const timeOf = (n: number) => start + Math.floor((n * SPAN_MS) / (jobs + 1));
  const idOf = (prefix: string, n: number) =>
    `${prefix}_${encodeTime(timeOf(n))}${String(n).padStart(ULID_RANDOM_CHARS, '0')}`;
  const random = (purpose: number, n: number) => randomUniform(1, PURPOSE.shuffle, purpose, n);
  const shortEpochs = Math.floor((epochs - longEpochs) / (jobs - 1));
  const builtIn = { id: 'fashion-mnist', digest: seeds.look.dataset_digest };
  const request = JSON.parse(seeds.job.request) as object;
  const grown = { jobs: [] as string[], searches: [] as string[], predictions: [] as string[] };
  const versions = new Map<string, number>();

  for (let n = 0; n < jobs; n++) {
    const id = idOf('job', n);
    const created_at = new Date(timeOf(n)).toISOString();
    const trial = (n % SEARCH_EVERY) + 1;
    const search_id = trial <= TRIALS ? idOf('sea', n - trial + 1) : null;
    const model = Math.floor((jobs / JOBS_PER_MODEL) * random(0, n) ** 3);
    const name = `model-${model}`;
    const isUploaded = random(1, n) < 0.4;
    const { id: dataset, digest } = isUploaded ? seeds.datasets[n % seeds.datasets.length]! : builtIn;
    const metadata = {
      team: `team-${model % TEAMS}`,
      region: model % TEAMS < 2 ? 'north' : 'south',
      owner: `owner-${Math.floor(OWNERS * random(2, n))}`,
    };
    const status = drawStatus(random(3, n), model, search_id !== null);
    const isPublished = status === 'succeeded' && search_id === null;
    const version = (versions.get(name) ?? 0) + 1;
    const count = n === 0 ? longEpochs : shortEpochs;

    const event_count = seeds.before.length + count + seeds.after.length;
    grown.jobs.push(id);
    add('jobs', {
      ...seeds.job,
      id,
      status,
      created_at,
      request: JSON.stringify({ ...request, modelName: name, dataset, metadata, seed: n }),
      finished_at: status === 'paused' ? null : created_at,
      model_version: isPublished ? version : null,
      search_id,
      search_trial: search_id === null ? null : trial,
      event_count,
    });
    for (const label of toLabels({ modelName: name, dataset, metadata })) {
      add('job_labels', { ...label, job_id: id });
    }
    const epochEvents = Array.from({ length: count }, (_, k) => seeds.epochs[k % seeds.epochs.length]!);
    for (const [k, event] of [...seeds.before, ...epochEvents, ...seeds.after].entries()) {
      const epoch = k - seeds.before.length + 1;
      const data = event.type === 'epoch' ? event.data.replace(EPOCH, `"epoch":${epoch}`) : event.data;
      add('events', { ...event, job_id: id, id: k + 1, data });
      if (k % 10_000 === 0) await flush();
    }
    for (let epoch = 1; epoch <= count; epoch++) {
      const { record } = seeds.metrics[epoch % seeds.metrics.length]!;
      add('metrics', { job_id: id, epoch, record: record.replace(EPOCH, `"epoch":${epoch}`) });
    }
    add('looks', { ...seeds.look, dataset_digest: digest, subject: id, at: created_at });

    if (isPublished) {
      versions.set(name, version);
      add('model_versions', {
        ...seeds.version,
        name,
        version,
        created_at,
        job_id: id,
        dataset_id: dataset,
        dataset_digest: digest,
        metadata: JSON.stringify(metadata),
        tags: JSON.stringify(n % TAG_EVERY === 0 ? ['checked'] : []),
        test_accuracy: random(4, n),
      });
    }
    if (search_id !== null) {
      add('trials', { ...seeds.trial, search_id, trial, job_id: id, state_event: event_count });
      if (trial === 1) {
        grown.searches.push(search_id);
        add('searches', { ...seeds.search, id: search_id, created_at });
        for (const event of seeds.searchEvents) add('search_events', { ...event, search_id });
      }
    }
    if (n % PREDICTION_EVERY === 0) {
      const job_id = idOf('prd', n);
      grown.predictions.push(job_id);
      add('prediction_jobs', { ...seeds.prediction, id: job_id, created_at, finished_at: created_at });
      for (const file of seeds.predictionFiles) add('prediction_files', { ...file, job_id });
    }
    await flush();
  }
  const created_at = new Date(start).toISOString();
  for (const [name, version] of versions) {
    const move = { name, alias: 'champion', version };
    add('models', { name, created_at, last_version: version, alias_moves: 1 });
    add('aliases', { ...move, moved_at: created_at, moved_by: 'anonymous' });
    add('alias_moves', {
      ...move,
      id: 1,
      at: created_at,
      caller: 'anonymous',
      previous_version: null,
      promotion: null,
    });
  }
  await flush(true);
  const [[rarestModel]] = [...versions].sort(([, a], [, b]) => a - b) as [[string, number]];
  return { ...grown, rarestModel };
}

/** One in 200 jobs is paused, and none is queued, because the service would train them. */
function drawStatus(fraction: number, model: number, isTrial: boolean): JobStatus {
  if (fraction < 0.005 && !isTrial) return 'paused';
  if (fraction < 0.08 && model !== 1) return 'failed';
  return fraction < 0.14 ? 'cancelled' : 'succeeded';
}
