/** Checks of requests for evaluations and comparisons against the versions that they name. */
import type { EvaluationCellQuery } from '../../domain/checks/evaluation.ts';
import { showImageShape } from '../../domain/image-shape.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError } from '../../errors.ts';
import type { ConfusionCell } from '../../numerics/evaluation/classification-report.ts';
import { isSameShape } from '../../numerics/network/image-shape.ts';

/** @throws AtelierError `impossible-request` for a class that the model does not have */
export function selectCell(
  { name, classNames }: ModelVersion,
  { label, predicted }: EvaluationCellQuery,
): ConfusionCell | null {
  if (label === undefined || predicted === undefined) return null;
  const last = classNames.length - 1;
  if (label <= last && predicted <= last) return { label, predicted };
  throw new AtelierError('impossible-request', `The classes of model ${name} are 0 to ${last}.`, {
    details: [
      { parameter: label > last ? 'label' : 'predicted', detail: `must be an integer from 0 to ${last}` },
    ],
  });
}

/** @throws AtelierError `impossible-request` for another input shape or other classes */
export function assertComparable(version: ModelVersion, other: ModelVersion): void {
  const reject = (property: string, ours: string, theirs: string): never => {
    throw new AtelierError(
      'impossible-request',
      `Version ${version.version} of model ${version.name} has the ${property} ${ours}; version ${other.version} of ` +
        `model ${other.name} has ${theirs}. Only versions with the same ${property} can be compared.`,
      { details: [{ parameter: 'with', detail: `must have the same ${property}` }] },
    );
  };
  if (!isSameShape(version.inputShape, other.inputShape))
    reject('input shape', showImageShape(version.inputShape), showImageShape(other.inputShape));
  const [ours, theirs] = [version.classNames, other.classNames];
  if (ours.length !== theirs.length || ours.some((name, label) => name !== theirs[label]))
    reject('classes', ours.join(', '), theirs.join(', '));
}
