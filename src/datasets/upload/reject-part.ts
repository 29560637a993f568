/** The error for a part of an uploaded data set. */
import { AtelierError } from '../../errors.ts';
import type { Reject } from '../../formats/models/file-error.ts';

/**
 * @param part name of the form part, or of the array in an npz
 * @throws AtelierError `invalid-dataset-file`
 */
export function rejectPart(part: string, defect: string, cause?: unknown): never {
  const message = `The data set is invalid. Part ${part}: ${defect.replace(/\.$/, '')}.`;
  throw new AtelierError('invalid-dataset-file', message, {
    cause,
    details: [{ pointer: `#/${part}`, detail: defect }],
  });
}

/** `rejectPart` for readers that throw the error of their caller. */
export function rejectAs(part: string): Reject {
  return (defect, cause) => rejectPart(part, defect, cause);
}
