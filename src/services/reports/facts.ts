/** Parts of a lab report that are known without computing. */

import type { Catalog } from '../../datasets/catalog.ts';
import { describeCoverage, type ShownCoverage } from '../../domain/checks/coverage.ts';
import { describeAreas, type ShownAreas } from '../../domain/checks/ranking.ts';
import { type DatasetSummary, imageUrl } from '../../domain/datasets/representation.ts';
import { resolvedTrainingRequestSchema } from '../../domain/jobs/request.ts';
import { isTrial, type TrainingJob } from '../../domain/jobs/training.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { LabReport } from '../../domain/reports/lab-report.ts';
import { writeCommand } from '../../formats/documents/lab-report/command.ts';
import { numberedLayers } from '../../formats/drawing/weights.ts';
import type { EvaluationService } from '../inspection/evaluations.ts';
import type { SectionContext } from './sections.ts';

/** Units of the first layer whose weights are drawn; more would need hundreds of kilobytes. */
const MAX_TILES = 100;
/** Classes of which an image is shown. */
const MAX_EXAMPLES = 100;

/** Reason for which a job has no version. */
export function describeUnpublished(job: TrainingJob): string {
  const { status, verification, publication } = job;
  if (isTrial(job)) return 'The job is a trial of a search, and trials publish no version.';
  if (status !== 'succeeded')
    return `The job ${status === 'failed' ? 'failed' : 'was cancelled'}, so it published no version.`;
  if (verification !== null) return `The job verifies ${verification.of}, so it published no version.`;
  return publication?.reason ?? 'The job published no version.';
}

export const withLooks = (dataset: DatasetSummary, looks: number): DatasetSummary => ({
  ...dataset,
  splits: { ...dataset.splits, test: { ...dataset.splits.test, looks } },
});

/** The first training image of each class that has one, of the first classes. */
export async function listExamples(
  catalog: Catalog,
  id: string,
  basePath: string,
): Promise<LabReport['examples']> {
  const dataset = await catalog.get(id);
  if (!dataset) return [];
  return dataset.classNames.slice(0, MAX_EXAMPLES).flatMap((className, label) => {
    const index = dataset.train.labels.indexOf(label);
    return index < 0 ? [] : [{ label, className, index, image: imageUrl(basePath, id, 'train', index) }];
  });
}

export function describeReproduction(job: TrainingJob, basePath: string): LabReport['reproduce'] {
  const body = job.receipt?.request ?? resolvedTrainingRequestSchema.parse(job);
  const verify = writeCommand(basePath, `/v1/training-jobs/${job.id}/verify`, { method: 'POST' });
  return {
    repeat: writeCommand(basePath, '/v1/training-jobs', { body }),
    verify: job.digest === null || job.receipt === null ? null : verify,
  };
}

/** The version whose weights are drawn, or null if they are left out. */
export function selectDrawn(version: ModelVersion, { basePath, omit }: SectionContext): ModelVersion | null {
  const units = numberedLayers(architectureOf(version))[0]!.output.channels;
  if (units <= MAX_TILES) return version;
  const url = `/v1/models/${version.name}/versions/${version.version}/weights`;
  const reason = `The first layer has ${units} units. A report draws at most ${MAX_TILES}.`;
  return omit('weights', reason, writeCommand(basePath, url, { output: 'weights.png' }));
}

/** The coverage on the test split of a version whose evaluation is shown; null if it has no calibration. */
export async function findCoverage(
  evaluations: Pick<EvaluationService, 'measureCoverage'>,
  version: ModelVersion,
  signal: AbortSignal,
): Promise<ShownCoverage | null> {
  if (version.calibration === null) return null;
  const measured = await evaluations.measureCoverage(version, { split: 'test' }, signal);
  return describeCoverage(measured.model, { dataset: measured.dataset.id, split: 'test' }, measured);
}

/** The areas under the threshold curves on the test split of a version whose evaluation is shown. */
export async function findAreas(
  evaluations: Pick<EvaluationService, 'rank'>,
  version: ModelVersion,
  signal: AbortSignal,
): Promise<ShownAreas> {
  const { ranking, classNames } = await evaluations.rank(version, { split: 'test' }, signal);
  return describeAreas(ranking, classNames);
}
