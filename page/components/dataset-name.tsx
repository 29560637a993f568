/** The name of a data set, or of a model that is named after one. */
import type { JSX } from 'preact';
import { useDatasetName } from '../state/dataset-names.ts';

export function DatasetName({ id }: { readonly id: string }): JSX.Element {
  return <>{useDatasetName(id)}</>;
}
