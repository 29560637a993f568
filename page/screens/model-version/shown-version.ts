/** A version and its card as the API shows them. */

import type { Evaluation } from '../../../src/domain/checks/evaluation.ts';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import type { Model, ModelVersion } from '../../../src/domain/models/representation.ts';
import type { TestSetUse } from '../../../src/domain/models/test-set.ts';

export interface ShownVersion extends ModelVersion {
  readonly testSet: TestSetUse | null;
}

/** The part of a model card that the page shows as figures. */
export interface CardFigures {
  /** Null if no test result of the version was revealed before. */
  readonly evaluation: Evaluation | null;
  readonly notEvaluated: string | null;
  readonly dataset: DatasetSummary | null;
}

/** The version that the name of the model alone means. */
export const servedVersion = ({ aliases, latest }: Pick<Model, 'aliases' | 'latest'>): number =>
  aliases['champion'] ?? latest.version;

/** Path of a version in the API. */
export const versionPath = (name: string, version: string | number): string =>
  `/v1/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
