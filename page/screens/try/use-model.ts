/** The model that the Try screen uses: a version of a model, or a checkpoint of a job. */
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { Model, ModelVersion } from '../../../src/domain/models/representation.ts';
import { useDataset } from '../../api/use-dataset.ts';
import { useResource } from '../../api/use-resource.ts';
import { servedVersion, versionPath } from '../model-version/shown-version.ts';

export interface TriedModel extends Pick<ModelVersion, 'inputShape' | 'classNames' | 'preprocessing'> {
  /** Undefined for a checkpoint, which cannot be calibrated. */
  readonly published?: Pick<ModelVersion, 'name' | 'version'>;
  /** Id of its data set, if known. */
  readonly dataset: string | undefined;
}

const options = { isRecorded: false };

/**
 * @param reference a name, `name@version`, `name@alias`, or `job_…@step`
 * @returns null if the model, or the data set of the checkpoint, does not exist; undefined until that is known
 */
export function useModel(models: readonly Model[], reference: string): TriedModel | null | undefined {
  const [name = '', version = ''] = reference.split('@');
  const isCheckpoint = name.startsWith('job_');
  const listed = models.find((model) => model.name === name);
  const isOther = listed === undefined && !isCheckpoint;
  const other = useResource<Model>(isOther ? `/v1/models/${encodeURIComponent(name)}` : null, options);
  const model = listed ?? other.data;
  const number = model && `${version === '' ? servedVersion(model) : (model.aliases[version] ?? version)}`;
  const isLatest = number === `${model?.latest.version}`;
  const numbered = useResource<ModelVersion>(model && !isLatest ? versionPath(name, number!) : null, options);
  const job = useResource<TrainingJob>(isCheckpoint ? `/v1/training-jobs/${name}` : null, options);
  const trained = useDataset(job.data?.dataset);

  const found = isLatest ? model?.latest : numbered.data;
  if (found) return { ...found, published: found, dataset: found.lineage.dataset?.id };
  if (trained.data) return { ...trained.data, inputShape: trained.data.imageShape, dataset: trained.data.id };
  const isPending = [other, numbered, job, trained].some((each) => each.isPending);
  return isPending ? undefined : null;
}
