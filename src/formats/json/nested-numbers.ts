/** Converts nested JSON arrays to a flat array of numbers, row by row. */
import { rejectAt } from './limits.ts';

export interface NestedTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: ArrayLike<number | bigint>;
}

/**
 * @param pointer JSON pointer of the array in the body
 * @throws AtelierError `invalid-request` if it is not an array, rows differ in length, or an element is not a number
 */
export function readNested(data: unknown, pointer: string): NestedTensor {
  if (!Array.isArray(data))
    return rejectAt(pointer, `is ${describeKind(data)}; an array of numbers is required`);
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
      if (typeof value !== 'number')
        rejectAt(`${at}/${i}`, `is ${describeKind(value)}; a number is required`);
      values[length++] = value;
    }
  };
  copy(data, 1, pointer);
  return { shape, values };
}

/** Checks the rows before memory is allocated, because the first row may be far longer than the others. */
function checkRows(row: readonly unknown[], shape: readonly number[], pointer: string, depth = 1): void {
  if (depth === shape.length) return;
  for (let i = 0; i < row.length; i++) {
    const inner = row[i];
    if (!Array.isArray(inner) || inner.length !== shape[depth]) {
      const found = Array.isArray(inner) ? `has ${inner.length} elements` : `is ${describeKind(inner)}`;
      rejectAt(
        `${pointer}/${i}`,
        `${found}, but must be an array of ${shape[depth]} elements, like the first`,
      );
    }
    checkRows(inner, shape, `${pointer}/${i}`, depth + 1);
  }
}

/** Number of elements of an array of this shape; 1 for the empty shape. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function describeKind(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
