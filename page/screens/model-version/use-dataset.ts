/** A data set whose splits a panel offers. */
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { useResource } from '../../api/use-resource.ts';

/** Null without an id, and until it has been loaded. */
export const useDataset = (id: string | undefined): DatasetSummary | null =>
  useResource<DatasetSummary>(id === undefined ? null : `/v1/datasets/${encodeURIComponent(id)}`, {
    isRecorded: false,
  }).data;
