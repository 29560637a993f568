/** The error for an invalid model file, and helpers for its message. */
import { AtelierError } from '../../errors.ts';

/** Throws the caller's error for an invalid file. */
export type Reject = (defect: string, cause?: unknown) => never;

/**
 * @param defect completes "The model file cannot be read: …", without a full stop
 * @param field the form field at fault: the file, or a property that contradicts it
 * @throws AtelierError `invalid-model-file`
 */
export function rejectModelFile(defect: string, cause?: unknown, field = 'file'): never {
  throw new AtelierError('invalid-model-file', `The model file cannot be read: ${defect}.`, {
    cause,
    details: [{ pointer: `#/${field}`, detail: defect }],
  });
}

/** Quotes a name from a file for an error message, shortened and escaped. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}

/** Formats a shape as Python does: (40, 784), (10,), (). A size that may vary is a name. Of a long shape, it shows the first 8 sizes. */
export function showShape(shape: readonly (number | string)[]): string {
  const more = shape.length > 8 ? ', …' : '';
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.slice(0, 8).join(', ')}${more})`;
}
