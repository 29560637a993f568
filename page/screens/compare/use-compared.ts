/** Jobs with their epochs, read again while one of them has not ended. */
import { useEffect, useState } from 'preact/hooks';
import type { EpochRecord } from '../../../src/domain/jobs/epoch-record.ts';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { requestJson } from '../../api/client.ts';
import { apiKey } from '../../api/key.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { jobPath } from '../job/use-training.ts';

export interface ComparedJob {
  readonly job: TrainingJob;
  readonly records: readonly EpochRecord[];
}

/** A compared job with its name. No two names are equal. */
export interface NamedJob extends ComparedJob {
  readonly name: string;
}

export interface Compared {
  /** In the order of the ids, without those that cannot be read; null until all have been read once. */
  readonly jobs: readonly ComparedJob[] | null;
  readonly problems: readonly ApiProblem[];
}

const POLL_MS = 2000;

export function useCompared(ids: readonly string[]): Compared {
  const [state, setState] = useState<Compared>({ jobs: null, problems: [] });
  const key = apiKey.value;
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const ended = new Map<string, ComparedJob>();
    let timer: ReturnType<typeof setTimeout>;

    async function read(id: string): Promise<ComparedJob> {
      const known = ended.get(id);
      if (known) return known;
      const path = jobPath(id);
      const job = await requestJson<TrainingJob>(path, { signal });
      const { data } = await requestJson<{ data: EpochRecord[] }>(`${path}/metrics`, { signal });
      const compared = { job, records: data };
      if (job.finishedAt !== null) ended.set(id, compared);
      return compared;
    }

    async function load(): Promise<void> {
      const results = await Promise.allSettled(ids.map(read));
      if (signal.aborted) return;
      const failed = results.filter((result) => result.status === 'rejected');
      const jobs = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      setState((old) => ({
        // A lost connection keeps what is shown.
        jobs: jobs.length === 0 && old.jobs !== null ? old.jobs : jobs,
        problems: failed.map(({ reason }) => toProblem(reason)),
      }));
      if (ended.size < ids.length && !document.hidden) timer = setTimeout(load, POLL_MS);
    }

    const onVisible = () => {
      clearTimeout(timer);
      if (!document.hidden) void load();
    };
    document.addEventListener('visibilitychange', onVisible, { signal });
    void load();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [ids.join(','), key]);
  return state;
}
