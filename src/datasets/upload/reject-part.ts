/** How a part of an uploaded data set is refused. */
import { AtelierError } from '../../errors.ts';

/**
 * @param part its name in the form, or that of the array in an npz
 * @throws AtelierError `invalid-dataset-file`
 */
export function rejectPart(part: string, defect: string, cause?: unknown): never {
  const message = `The data set cannot be used, because of ${part}: ${defect.replace(/\.$/, '')}.`;
  throw new AtelierError('invalid-dataset-file', message, {
    cause,
    details: [{ pointer: `#/${part}`, detail: defect }],
  });
}
