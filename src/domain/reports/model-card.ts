/** Model cards: what a version is, what it is for, how it was made and how good it is. */
import { z } from 'zod';
import { coverageReportSchema } from '../checks/coverage.ts';
import { type Evaluation, evaluationSchema } from '../checks/evaluation.ts';
import { areasSchema } from '../checks/ranking.ts';
import { datasetSchema } from '../datasets/representation.ts';
import { describeImages } from '../image-shape.ts';
import { receiptSchema } from '../jobs/training.ts';
import { type ModelVersion, modelVersionSchema } from '../models/representation.ts';
import { testSetSchema } from '../models/test-set.ts';

export const modelCardSchema = z
  .object({
    version: modelVersionSchema,
    parameters: z.int().describe('Number of weights and biases'),
    intendedUse: z.string(),
    limitations: z.array(z.string()),
    dataset: datasetSchema.nullable().describe('Data set of the version; null if it is unknown or deleted'),
    evaluation: evaluationSchema
      .nullable()
      .describe(
        'Evaluation on the test split, if a test result of the version was revealed before: a card is not a look',
      ),
    notEvaluated: z.string().nullable().describe('Reason for which `evaluation` is null, as one sentence'),
    areas: areasSchema
      .nullable()
      .describe(
        'Areas under the curves of `GET …/evaluation/ranking` of the test split; null without `evaluation`',
      ),
    coverage: coverageReportSchema
      .nullable()
      .describe(
        'As `GET …/evaluation/coverage` of the test split; null without `evaluation`, and before the version is calibrated',
      ),
    testSet: testSetSchema.nullable(),
    receipt: receiptSchema.nullable().describe('Receipt of the training job; null if it was deleted'),
  })
  .meta({ id: 'ModelCard' });
export type ModelCard = z.infer<typeof modelCardSchema>;

/** Documents list all classes of up to this number, and a few of more. */
export const MAX_LISTED_CLASSES = 100;
export const FEW_CLASSES = 30;

export function describeUse({
  inputShape,
  classNames,
}: Pick<ModelVersion, 'inputShape' | 'classNames'>): string {
  const names =
    classNames.length <= MAX_LISTED_CLASSES
      ? classNames.join(', ')
      : `${classNames.slice(0, FEW_CLASSES).join(', ')} and ${classNames.length - FEW_CLASSES} others`;
  return `Assigns a ${describeImages(inputShape, 'image')} to one of ${classNames.length} classes: ${names}.`;
}

/** Limitations that the figures show, and that every such network has. */
export function describeLimitations(evaluation: Evaluation | null): string[] {
  const always = [
    'It assigns one of its classes to every image, also to images that show none of them.',
    'Its figures hold for images like those of its data set. For images of another origin, the accuracy is unknown.',
  ];
  if (evaluation === null) return always;
  const { classes, calibration } = evaluation;
  const weakest = classes
    .filter(({ support }) => support > 0)
    .reduce((lowest, each) => (each.recall < lowest.recall ? each : lowest));
  const other = mostTakenFor(evaluation, weakest.label);
  return [
    ...always,
    `Of the images of class ${weakest.className}, ${percent(weakest.recall)} are recognised; no class has a lower fraction.` +
      (other ? ` The others are most often taken for ${other}.` : ''),
    `The confidence of its predictions differs from their accuracy by ${percent(calibration.expectedCalibrationError)} on average.`,
  ];
}

/** Undefined if no image of the class is misclassified, or if this is not known. */
function mostTakenFor(
  { classes, confusionMatrix, topConfusions }: Evaluation,
  label: number,
): string | undefined {
  if (confusionMatrix === null) return topConfusions.find((each) => each.label === label)?.predictedClassName;
  const counts = confusionMatrix[label]!.with(label, 0);
  const most = Math.max(...counts);
  return most === 0 ? undefined : classes[counts.indexOf(most)]!.className;
}

const percent = (fraction: number) => `${(100 * fraction).toFixed(1)} %`;
