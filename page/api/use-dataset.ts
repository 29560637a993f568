/** A data set that a screen reads beside what it shows. */
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { type Resource, useResource } from './use-resource.ts';

/** @param id nothing is read without one */
export const useDataset = (id: string | null | undefined): Resource<DatasetSummary> =>
  useResource(id == null ? null : `/v1/datasets/${encodeURIComponent(id)}`, { isRecorded: false });
