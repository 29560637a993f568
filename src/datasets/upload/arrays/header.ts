/** The header of an uploaded array, npy or IDX. */
import type { NpyDtype } from '../../../formats/arrays/npy-header.ts';

export interface ArrayHeader {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  /** Bytes before the first element. */
  readonly dataOffset: number;
  readonly dataBytes: number;
}
