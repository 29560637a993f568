/** How a model file is refused. */
import { AtelierError } from '../errors.ts';

/**
 * @param field what of the request is at fault: the file, or what was said of it
 * @throws AtelierError `invalid-model-file`
 */
export function rejectModelFile(defect: string, cause?: unknown, field = 'file'): never {
  throw new AtelierError('invalid-model-file', `The model file cannot be read: ${defect}.`, {
    cause,
    details: [{ pointer: `#/${field}`, detail: defect }],
  });
}

/** A name out of a file, in a length and in characters that a message can bear. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
}

/** (40, 784), (10,), () as Python shows them. */
export function showShape(shape: readonly (number | string)[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.slice(0, 8).join(', ')})`;
}
