/** Lists of training jobs, composed of jobs that are rendered once per revision. */
import type { TrainingService } from '../../services/training/jobs.ts';
import type { JobRevision } from '../../store/jobs/repository.ts';
import type { Page } from '../../store/persistent-state.ts';
import { createByteCache } from '../conditional/prepared.ts';
import { toList } from '../validation/pagination.ts';

const key = ({ id, revision }: JobRevision) => `${id} ${revision}`;

/** @returns a function that renders a page as JSON, without jobs whose row is damaged */
export function createJobListRenderer(training: Pick<TrainingService, 'getMany'>) {
  const rendered = createByteCache<{ readonly bytes: Buffer }>();

  return async (page: Page<JobRevision>): Promise<Buffer> => {
    const missing = page.data.filter((row) => !rendered.has(key(row)));
    const jobs = new Map((await training.getMany(missing.map(({ id }) => id))).map((job) => [job.id, job]));
    const items = page.data.flatMap((row) => {
      const known = rendered.get(key(row));
      if (known) return known.bytes;
      const job = jobs.get(row.id);
      if (!job) return [];
      const bytes = Buffer.from(`,${JSON.stringify(job)}`);
      rendered.set(key(row), { bytes });
      return bytes;
    });
    const { data: _, ...cursors } = toList(page, ({ id }) => id);
    const end = Buffer.from(`],${JSON.stringify(cursors).slice(1)}`);
    // Each item begins with the comma that separates it from the one before it.
    const first = items.slice(0, 1).map((bytes) => bytes.subarray(1));
    return Buffer.concat([Buffer.from('{"data":['), ...first, ...items.slice(1), end]);
  };
}
