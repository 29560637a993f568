/** A search with rungs, repeats and several shapes, and its reproducible outcome. */
import assert from 'node:assert/strict';
import type { z } from 'zod';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Search, Trial } from '../../src/domain/searches/representation.ts';
import type { searchRequestSchema } from '../../src/domain/searches/request.ts';
import { openStream } from '../http/read-events.ts';
import { requestJson } from './start-process.ts';

export type SearchBody = z.input<typeof searchRequestSchema>;

/** @param changes of the whole request */
export function smallSearch(changes: Partial<SearchBody> = {}): SearchBody {
  return {
    dataset: 'fashion-mnist',
    modelName: 'tuned',
    training: {
      epochs: 4,
      batchSize: 128,
      validation: { fraction: 0.95 },
      schedule: { type: 'cosine' },
      dropout: 0.1,
      checkpointEverySeconds: 1,
    },
    vary: [
      { path: '/network/hidden', choices: [[8], [12]] },
      { path: '/training/optimizer/learningRate', min: 0.01, max: 0.5, scale: 'log' },
    ],
    method: { type: 'random', trials: 6 },
    halving: { factor: 2, minEpochs: 1 },
    ...changes,
  };
}

/** Everything that must not depend on slots, processes, pauses and kills. */
export interface SearchOutcome {
  readonly status: Search['status'];
  readonly best: Search['best'];
  readonly progress: Search['progress'];
  readonly leaderboard: readonly Omit<Trial, 'jobs'>[];
  readonly digests: readonly (string | null)[];
  readonly final: Pick<TrainingJob, 'digest' | 'status' | 'stoppedAt'> | null;
}

export async function readOutcome(base: string, id: string): Promise<SearchOutcome> {
  const search = await requestJson<Search>(`${base}/v1/searches/${id}`);
  const { data } = await requestJson<{ data: Trial[] }>(`${base}/v1/searches/${id}/trials`);
  const job = (id: string) => requestJson<TrainingJob>(`${base}/v1/training-jobs/${id}`);
  const digests = [];
  for (const { jobs } of data) for (const id of jobs) digests.push((await job(id)).digest);
  const final = search.finalJob === null ? null : await job(search.finalJob);
  return {
    status: search.status,
    best: search.best,
    progress: search.progress,
    leaderboard: data.map(({ jobs: _, ...trial }) => trial),
    digests,
    final: final && { digest: final.digest, status: final.status, stoppedAt: final.stoppedAt },
  };
}

/**
 * Waits until `holds`: checked now, and after each event of the search.
 * @param after id of the event before the first one that counts
 */
export async function untilSearch(
  base: string,
  id: string,
  holds: (search: Search) => boolean = ({ finishedAt }) => finishedAt !== null,
  after = 0,
): Promise<Search> {
  const url = `${base}/v1/searches/${id}`;
  const events = await openStream(`${url}/events?after=${after}`);
  try {
    for await (const message of events.messages()) {
      if (after > 0 && !/^id:/m.test(message)) continue;
      const search = await requestJson<Search>(url);
      if (holds(search)) return search;
      assert.ok(search.finishedAt === null, `the search has ended: ${JSON.stringify(search)}`);
    }
  } finally {
    events.close();
  }
  throw new Error(`The events of ${id} ended before the search did.`);
}
