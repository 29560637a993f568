/** Requests that read a grown database: lists with each filter, order and position, and the requests of the page. */
import type { Grown } from './grow.ts';

/** Name → paths. Each turn takes the next one. */
export type Requests = Readonly<Record<string, readonly string[]>>;

const JOBS = '/v1/training-jobs';

export function growthRequests({ jobs, searches, predictions, rarestModel }: Grown): Requests {
  const middle = at(jobs, 0.5);
  const time = (fraction: number) =>
    `${encodeURIComponent(new Date(Date.now() - fraction * 90 * 86_400_000).toISOString())}`;
  const long = jobs[0]!;
  const events = `${JOBS}/${long}/events`;
  const jobFilters: Readonly<Record<string, string>> = {
    'no filter': '',
    'status=failed': 'status=failed',
    'status=paused': 'status=paused',
    'status=queued, none': 'status=queued',
    'modelName, 8 % of the jobs': 'modelName=model-0',
    'modelName, few jobs': `modelName=${rarestModel}`,
    'dataset, 60 % of the jobs': 'dataset=fashion-mnist',
    'search=none': 'search=none',
    'one search': `search=${at(searches, 0.5)}`,
    'metadata, 20 % of the jobs': 'metadata.team=team-1',
    'two metadata, 2,000 jobs': 'metadata.team=team-1&metadata.owner=owner-1',
    'modelName and dataset': 'modelName=model-0&dataset=fashion-mnist',
    'modelName and metadata, none': 'modelName=model-0&metadata.team=team-1',
    'two metadata, none': 'metadata.team=team-1&metadata.region=south',
    'modelName and status, none': 'modelName=model-1&status=failed',
    'metadata and status': 'metadata.team=team-1&status=failed',
    'dataset and status=paused': 'dataset=fashion-mnist&status=paused',
    'dataset and search=none': 'dataset=fashion-mnist&search=none',
    'modelName, metadata and search=none, none': 'modelName=model-0&metadata.team=team-1&search=none',
    'status and search=none': 'status=failed&search=none',
    'one search and status, none': `search=${at(searches, 0.5)}&status=paused`,
    'created within a day': `createdAfter=${time(0.5)}&createdBefore=${time(0.49)}`,
    'created within a day, metadata': `createdAfter=${time(0.5)}&createdBefore=${time(0.49)}&metadata.team=team-1`,
  };
  const positions: Readonly<Record<string, readonly string[]>> = {
    '': ['', '&sort=createdAt'],
    ', middle': [`&after=${middle}`, `&after=${middle}&sort=createdAt`],
    ', end': [`&after=${at(jobs, 0.0003)}`, `&after=${at(jobs, 0.9997)}&sort=createdAt`],
  };
  const jobPages = Object.entries(jobFilters).flatMap(([name, filter]) =>
    Object.entries(positions).map(([position, queries]) => [
      `jobs: ${name}${position}`,
      queries.flatMap((query) => [`${JOBS}?${filter}${query}`, `${JOBS}?limit=100&${filter}${query}`]),
    ]),
  );
  return {
    ...Object.fromEntries(jobPages),
    'one job': [`${JOBS}/${middle}`],
    'events of a job, first, middle, last': [0, 5000, 9990].map(
      (after) => `${events}?limit=100&after=${after}`,
    ),
    'epochs of a job of 10 epochs': [`${JOBS}/${middle}/metrics`],
    'checkpoints of a job': [`${JOBS}/${middle}/checkpoints`],
    searches: ['', `?after=${at(searches, 0.5)}`, `?after=${at(searches, 0.01)}`, '?limit=100'].map(
      (query) => `/v1/searches${query}`,
    ),
    'searches, status': ['?status=failed', '?status=succeeded&limit=100'].map(
      (query) => `/v1/searches${query}`,
    ),
    'one search': [`/v1/searches/${at(searches, 0.5)}`],
    'trials of a search': [`/v1/searches/${at(searches, 0.5)}/trials`],
    'events of a search': [`/v1/searches/${at(searches, 0.5)}/events`],
    models: ['', '?limit=100', '?sort=createdAt', '?sort=name&after=model-1', '?sort=-name'].map(
      (query) => `/v1/models${query}`,
    ),
    'models, namePrefix': ['model-19', 'other'].map((prefix) => `/v1/models?namePrefix=${prefix}`),
    'models, filters of versions': [
      'tag=checked',
      'tag=none',
      'dataset=fashion-mnist',
      'metadata.team=team-1',
      'metadata.team=none',
    ].map((query) => `/v1/models?${query}`),
    'one model': ['/v1/models/model-0', `/v1/models/${rarestModel}`],
    versions: ['', '?limit=100', '?after=100', '?sort=version', '?sort=version&after=100'].map(
      (query) => `/v1/models/model-0/versions${query}`,
    ),
    'versions, -testAccuracy': ['?sort=-testAccuracy', '?sort=-testAccuracy&after=100'].map(
      (query) => `/v1/models/model-0/versions${query}`,
    ),
    'versions, filters': [
      'tag=checked',
      'tag=none',
      'dataset=fashion-mnist',
      'metadata.owner=owner-1',
      'metadata.team=none',
    ].map((query) => `/v1/models/model-0/versions?${query}`),
    'one version': ['/v1/models/model-0/versions/1'],
    aliases: ['/v1/models/model-0/aliases'],
    'data sets': ['/v1/datasets', '/v1/datasets?limit=100'],
    'one data set': ['/v1/datasets/fashion-mnist'],
    'prediction jobs': ['', '?limit=100', `?after=${at(predictions, 0.5)}`, '?status=failed'].map(
      (query) => `/v1/prediction-jobs${query}`,
    ),
    'one prediction job': [`/v1/prediction-jobs/${at(predictions, 0.5)}`],
    storage: ['/v1/storage'],
    metrics: ['/metrics'],
    health: ['/health/live', '/health/ready', '/v2/health/ready'],
    page: ['/'],
  };
}

/** Requests without pages. */
export const wholeRequests = ({ jobs }: Grown): Requests => ({
  'all 10,000 epochs of a job': [`${JOBS}/${jobs[0]!}/metrics`],
  'statistics of 10,000 versions (KServe)': ['/v2/models/stats'],
});

const at = (ids: readonly string[], fraction: number) => ids[Math.floor(fraction * (ids.length - 1))]!;
