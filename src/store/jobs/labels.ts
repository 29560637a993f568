/** Labels of jobs: the name of the model, the data set and the metadata. They filter lists of jobs. */
import type { Transaction } from 'kysely';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import type { Database } from '../database/tables.ts';

export interface Label {
  readonly name: string;
  readonly value: string;
}
/** The labelled fields of a request, or those of a filter. */
type Labelled = {
  readonly [Field in 'modelName' | 'dataset' | 'metadata']?: ResolvedTrainingRequest[Field] | undefined;
};

export function toLabels({ modelName, dataset, metadata = {} }: Labelled): Label[] {
  return [
    ...(modelName === undefined ? [] : [{ name: 'modelName', value: modelName }]),
    ...(dataset === undefined ? [] : [{ name: 'dataset', value: dataset }]),
    ...Object.entries(metadata).map(([key, value]) => ({ name: `metadata.${key}`, value })),
  ];
}

/** Call in the transaction that inserts the job. */
export async function insertLabels(
  trx: Transaction<Database>,
  jobId: string,
  request: Labelled,
): Promise<void> {
  const labels = toLabels(request).map((label) => ({ ...label, job_id: jobId }));
  if (labels.length > 0) await trx.insertInto('job_labels').values(labels).execute();
}
