/** Describes how often the test split of a data set was looked at, and what that means for a version. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import { isJobId, type VersionReference } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { describeIntervals, type TestSetUse } from '../../domain/models/test-set.ts';
import { networkSubject } from '../../store/models/looks.ts';
import { resolvedTeachers, resolvedWarmStart } from '../../store/models/versions.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { Validation } from '../training/examples.ts';

export type TestSetService = ReturnType<typeof createTestSetService>;

export function createTestSetService(
  { looks, models, jobs }: Pick<Store, 'looks' | 'models' | 'jobs'>,
  catalog: Catalog,
) {
  /** Follows the warm starts and the teachers. The lineage is not complete if a version or job of them has been deleted. */
  async function traceLineage(version: ModelVersion): Promise<{ subjects: string[]; isComplete: boolean }> {
    const subjects = new Set<string>();
    const pending = new Map<string, VersionReference>();
    let isComplete = true;
    addVersion(version);
    // The loop also visits entries that are added while it runs.
    for (const { name, version: number } of pending.values()) {
      if (isJobId(name)) {
        subjects.add(name);
        const [job] = await jobs.getMany([name]);
        if (job === undefined) isComplete = false;
        else
          addUsed(
            job.warmStart === null ? null : resolvedWarmStart(job.warmStart),
            resolvedTeachers(job.training),
          );
      } else {
        const found = await models.version(name, number);
        if (found === undefined) isComplete = false;
        else addVersion(found);
      }
    }
    return { subjects: [...subjects], isComplete };

    function addVersion(found: ModelVersion): void {
      const { jobId, parent, teachers } = found.lineage;
      subjects.add(networkSubject(found));
      if (jobId !== null) subjects.add(jobId);
      addUsed(parent, teachers);
    }

    function addUsed(parent: VersionReference | null, teachers: readonly VersionReference[]): void {
      for (const used of parent === null ? teachers : [parent, ...teachers]) {
        pending.set(`${used.name}@${used.version}`, used);
      }
    }
  }

  /** The final training of a search may train on all images, but its setting was chosen on validation images. */
  async function isResultOfSearch({ lineage: { jobId } }: ModelVersion): Promise<boolean> {
    const [job] = jobId === null ? [] : await jobs.getMany([jobId]);
    return job !== undefined && job.search !== null;
  }

  return {
    /** Looks at the test split of a data set, and of others with the same one. */
    looksAt: ({ digest }: DatasetSummary) => looks.total(digest),
    /** Epochs of a job whose test results were revealed. */
    looksOfJob: looks.ofJob,

    /** Returns null for a version without a data set. */
    async describe(version: ModelVersion): Promise<TestSetUse | null> {
      const { lineage, createdAt, testAccuracy } = version;
      if (lineage.dataset === null) return null;
      const { id, digest } = lineage.dataset;
      const { subjects, isComplete } = await traceLineage(version);
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
  const training = request?.['training'] as Partial<Validation> | undefined;
  return training?.validation?.split === true || (training?.validation?.fraction ?? 0) > 0;
}
