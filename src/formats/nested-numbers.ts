/** Nested arrays of JSON → numbers, row by row. */
import { rejectAt } from './json-limits.ts';

export interface NestedTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: ArrayLike<number | bigint>;
}

/**
 * @param pointer of the array in the body
 * @throws AtelierError `invalid-request` where rows differ in length, or something is no number
 */
export function readNested(data: unknown, pointer: string): NestedTensor {
  if (!Array.isArray(data))
    return rejectAt(pointer, `is ${describeKind(data)}; an array of numbers is needed`);
  const shape: number[] = [];
  for (let inner: unknown = data; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  checkRows(data, shape, pointer);
  const values = new Float64Array(countElements(shape));
  let length = 0;
  const copy = (row: readonly unknown[], depth: number, at: string): void => {
    if (depth < shape.length) {
      for (let i = 0; i < row.length; i++) copy(row[i] as unknown[], depth + 1, `${at}/${i}`);
      return;
    }
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (typeof value !== 'number') rejectAt(`${at}/${i}`, `is ${describeKind(value)}; a number is needed`);
      values[length++] = value;
    }
  };
  copy(data, 1, pointer);
  return { shape, values };
}

/** Before memory is taken for all of them: a first row may be far longer than the others. */
function checkRows(row: readonly unknown[], shape: readonly number[], pointer: string, depth = 1): void {
  if (depth === shape.length) return;
  for (let i = 0; i < row.length; i++) {
    const inner = row[i];
    if (!Array.isArray(inner) || inner.length !== shape[depth]) {
      const found = Array.isArray(inner) ? `has ${inner.length} elements` : `is ${describeKind(inner)}`;
      rejectAt(`${pointer}/${i}`, `${found}; its neighbours are arrays of ${shape[depth]}`);
    }
    checkRows(inner, shape, `${pointer}/${i}`, depth + 1);
  }
}

/** Of such a shape; 1 where there is none. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function describeKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
