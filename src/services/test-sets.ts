/** Describes how often the test split of a data set was looked at, and what that means for a version. */
import type { Catalog } from '../datasets/catalog.ts';
import type { DatasetSummary } from '../domain/dataset.ts';
import type { ModelVersion } from '../domain/model.ts';
import { isJobId, type VersionReference } from '../domain/model-reference.ts';
import { describeIntervals, type TestSetUse } from '../domain/test-set.ts';
import { networkSubject } from '../store/looks.ts';
import { resolvedWarmStart } from '../store/model-versions.ts';
import type { Store } from '../store/store.ts';

export interface TestSetService {
  /** Looks at the test split of a data set, and of others with the same content. */
  looksAt(dataset: DatasetSummary): Promise<number>;
  /** Epochs of a job whose test results were revealed. */
  readonly looksOfJob: Store['looks']['ofJob'];
  /** Returns null for a version without a data set. */
  describe(version: ModelVersion): Promise<TestSetUse | null>;
}

export function createTestSetService(
  { looks, models, jobs }: Pick<Store, 'looks' | 'models' | 'jobs'>,
  catalog: Catalog,
): TestSetService {
  /** Follows the warm starts. The lineage is not complete if a version or job of them has been deleted. */
  async function lineageOf(version: ModelVersion): Promise<{ subjects: string[]; isComplete: boolean }> {
    const subjects: string[] = [];
    let isComplete = true;
    const add = (found: ModelVersion): VersionReference | null => {
      subjects.push(networkSubject(found), ...(found.lineage.jobId === null ? [] : [found.lineage.jobId]));
      return found.lineage.parent;
    };
    let parent = add(version);
    while (parent !== null) {
      const { name, version: number } = parent;
      if (isJobId(name)) {
        subjects.push(name);
        const [job] = await jobs.getMany([name]);
        isComplete &&= job !== undefined;
        parent = job?.warmStart ? resolvedWarmStart(job.warmStart) : null;
      } else {
        const found = await models.version(name, number);
        isComplete &&= found !== undefined;
        parent = found ? add(found) : null;
      }
    }
    return { subjects, isComplete };
  }

  /** The final training of a search may train on all images, but its setting was chosen on validation images. */
  async function isResultOfSearch({ lineage: { jobId } }: ModelVersion): Promise<boolean> {
    const [job] = jobId === null ? [] : await jobs.getMany([jobId]);
    return job !== undefined && job.search !== null;
  }

  return {
    looksAt: ({ digest }) => looks.total(digest),
    looksOfJob: looks.ofJob,

    async describe(version) {
      const { lineage, createdAt, testAccuracy } = version;
      if (lineage.dataset === null) return null;
      const { id, digest } = lineage.dataset;
      const { subjects, isComplete } = await lineageOf(version);
      const counts = await looks.ofVersion(digest, createdAt, subjects);
      const { lineageBefore, ...shown } = counts;
      const isUnseen = isComplete && lineageBefore === 0;
      const isValidated = isUnseen && (hasValidation(version) || (await isResultOfSearch(version)));
      const dataset = await catalog.find(id);
      const isMeasured = testAccuracy !== null && dataset?.digest === digest;
      return {
        looks: shown,
        chosenBy: isValidated ? 'validation' : 'unknown',
        ...(isMeasured
          ? describeIntervals(testAccuracy, dataset.splits.test.examples, counts.total)
          : { interval: null, intervalOfBest: null }),
      };
    },
  };
}

function hasValidation({ lineage: { request } }: ModelVersion): boolean {
  const training = request?.['training'] as { validation?: { fraction: number } | null } | undefined;
  return (training?.validation?.fraction ?? 0) > 0;
}
