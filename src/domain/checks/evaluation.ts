/**
 * Evaluations and comparisons of models on a split, as the API shows them.
 * `numerics/evaluation` computes them.
 */
import { z } from 'zod';
import {
  type ClassificationReport,
  type ClassifiedImage,
  type Confusion,
  MAX_CONFUSIONS,
  MAX_MATRIX_CLASSES,
} from '../../numerics/evaluation/classification-report.ts';
import type { Comparison as ComparedAnswers } from '../../numerics/evaluation/comparison.ts';
import { MCNEMAR_METHODS } from '../../numerics/evaluation/mcnemar.ts';
import { MAX_CLASSES, SPLITS, type SplitName } from '../datasets/representation.ts';
import { type VersionReference, versionReferenceSchema } from '../models/reference.ts';
import { wholeNumber } from '../primitives.ts';
import { decideVerdict, describeVerdict, SIGNIFICANCE, VERDICTS } from './verdict.ts';

export const evaluationQuerySchema = z.strictObject({
  split: z.enum(SPLITS).default('test').describe('Split whose images are predicted'),
  dataset: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Id of a data set with the same number of classes; by default the one the model was trained on',
    ),
});
export type EvaluationQuery = z.output<typeof evaluationQuerySchema>;

const classLabel = wholeNumber(0, MAX_CLASSES - 1).optional();

/** `label` and `predicted` select a cell of the confusion matrix. Its images are then listed. */
export const evaluationCellQuerySchema = evaluationQuerySchema
  .extend({
    label: classLabel.describe('Class of the images to list in `images`, from 0; together with `predicted`'),
    predicted: classLabel.describe('Predicted class of the images to list, from 0'),
  })
  .refine(({ label, predicted }) => (label === undefined) === (predicted === undefined), {
    path: ['predicted'],
    message: 'label and predicted select a cell of the confusion matrix together; send both or neither',
  });
export type EvaluationCellQuery = z.output<typeof evaluationCellQuerySchema>;

export const comparisonQuerySchema = evaluationQuerySchema.extend({
  with: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}(@[a-z0-9][a-z0-9._-]{0,63})?$/,
      'must be "name@version", "name@alias" or "name"',
    )
    .describe('The other version: `name@version`, `name@alias` or `name`; it must have the same classes'),
});
export type ComparisonQuery = z.output<typeof comparisonQuerySchema>;

/** The evaluated images, and the URL of each. */
export interface EvaluatedSplit {
  readonly dataset: string;
  readonly split: SplitName;
  readonly classNames: readonly string[];
  imageUrl(index: number): string;
}

const scores = {
  precision: z.number().describe('0 if the class was never predicted'),
  recall: z.number().describe('0 if the split has no image of the class'),
  f1: z.number(),
};

/** Fields of a result about the images of a split. */
export const evaluatedOn = {
  dataset: z.string(),
  split: z.enum(SPLITS),
  examples: z.int().describe('Number of images'),
};

const imageFields = {
  index: z.int().describe('Index of the image in the split'),
  image: z.string().describe('URL of the image'),
  label: z.int(),
  className: z.string(),
};

const fraction = z.number().min(0).max(1);

const classifiedImage = z.object({
  ...imageFields,
  predicted: z.int(),
  predictedClassName: z.string(),
  probability: fraction.describe('Probability of the predicted class'),
});

export const evaluationSchema = z
  .object({
    model: versionReferenceSchema,
    ...evaluatedOn,
    loss: z.number().nullable().describe('Mean cross-entropy, in nats; null if the network overflows'),
    accuracy: fraction,
    accuracyInterval: z.object({
      method: z.literal('wilson-score'),
      level: z.literal(0.95),
      low: fraction,
      high: fraction,
    }),
    confusionMatrix: z
      .array(z.array(z.int()))
      .nullable()
      .describe(
        `Number of images by class (rows) and predicted class (columns); null with more than ${MAX_MATRIX_CLASSES} classes`,
      ),
    topConfusions: z
      .array(
        z.object({
          label: z.int(),
          className: z.string(),
          predicted: z.int(),
          predictedClassName: z.string(),
          count: z.int().describe('Number of images of the class that are classified as `predicted`'),
          fraction: fraction.describe('`count` divided by the images of the class'),
        }),
      )
      .describe(
        `The most frequent confusions of two classes, at most ${MAX_CONFUSIONS}, the most frequent first`,
      ),
    classes: z.array(
      z.object({
        label: z.int(),
        className: z.string(),
        ...scores,
        support: z.int().describe('Number of images of the class'),
      }),
    ),
    macroAverage: z.object(scores).describe('Unweighted means over the classes'),
    calibration: z.object({
      expectedCalibrationError: fraction.describe(
        'Mean of |accuracy − confidence| over the bins, weighted by their images. The confidence of a prediction is its highest probability',
      ),
      bins: z.array(
        z.object({
          from: fraction,
          to: fraction.describe('Upper end; a bin holds confidences greater than `from` and at most `to`'),
          count: z.int(),
          confidence: fraction.nullable().describe('Mean confidence; null in an empty bin'),
          accuracy: fraction.nullable(),
        }),
      ),
    }),
    mistakes: z.array(classifiedImage).describe('At most 20, the most confident first'),
    images: z
      .array(classifiedImage)
      .optional()
      .describe(
        'Images of the class `label` that are classified as `predicted`, if the query has both: at most 100, the most confident first',
      ),
  })
  .meta({ id: 'Evaluation' });
export type Evaluation = z.infer<typeof evaluationSchema>;

export const comparisonSchema = z
  .object({
    model: versionReferenceSchema,
    other: versionReferenceSchema,
    ...evaluatedOn,
    verdict: z
      .enum(VERDICTS)
      .describe(
        `Whether the model is better or worse than the other; \`no-difference\` unless McNemar's p-value is below ${SIGNIFICANCE}`,
      ),
    sentence: z.string().describe('The verdict with its numbers, as one sentence'),
    accuracy: z.object({ model: fraction, other: fraction, change: z.number().describe('model − other') }),
    counts: z
      .object({ n00: z.int(), n01: z.int(), n10: z.int(), n11: z.int() })
      .describe(
        'Number of images classified correctly by neither (n00), only the other (n01), only the model (n10), and both (n11)',
      ),
    mcnemar: z.object({
      method: z.enum(MCNEMAR_METHODS).describe('Exact if n01 + n10 is less than 25'),
      statistic: z.number().nullable().describe('χ² statistic; null for the exact test'),
      pValue: fraction.describe(
        'Two-sided p-value of the hypothesis that both models are correct equally often',
      ),
    }),
    classes: z.array(
      z.object({
        label: z.int(),
        className: z.string(),
        support: z.int(),
        model: fraction
          .nullable()
          .describe(
            'Fraction of the images of the class that are classified correctly; null if the class has no images',
          ),
        other: fraction.nullable(),
        change: z.number().nullable().describe('model − other'),
      }),
    ),
    differences: z
      .object({
        total: z.int(),
        images: z.array(
          z.object({
            ...imageFields,
            model: z.object({ label: z.int(), className: z.string() }),
            other: z.object({ label: z.int(), className: z.string() }),
          }),
        ),
      })
      .describe('Images for which the two predictions differ; the first 100 are listed'),
  })
  .meta({ id: 'Comparison' });
export type ModelComparison = z.infer<typeof comparisonSchema>;

export const nameConfusions = (
  confusions: readonly Confusion[],
  classNames: readonly string[],
): Evaluation['topConfusions'] =>
  confusions.map(({ label, predicted, count, fraction }) => ({
    ...{ label, className: classNames[label]!, predicted, predictedClassName: classNames[predicted]! },
    ...{ count, fraction },
  }));

export function describeEvaluation(
  model: VersionReference,
  { dataset, split, classNames, imageUrl }: EvaluatedSplit,
  report: ClassificationReport,
): Evaluation {
  const { examples, loss, accuracy, confusion, calibration } = report;
  const withNames = ({ index, label, predicted, probability }: ClassifiedImage) => ({
    index,
    image: imageUrl(index),
    label,
    className: classNames[label]!,
    predicted,
    predictedClassName: classNames[predicted]!,
    probability,
  });
  return {
    model,
    dataset,
    split,
    examples,
    loss: Number.isFinite(loss) ? loss : null,
    accuracy,
    accuracyInterval: { method: 'wilson-score', level: 0.95, ...report.interval },
    confusionMatrix: confusion?.map((row) => [...row]) ?? null,
    topConfusions: nameConfusions(report.confusions, classNames),
    classes: report.classes.map((each, label) => ({ label, className: classNames[label]!, ...each })),
    macroAverage: report.macro,
    calibration: {
      expectedCalibrationError: calibration.expectedError,
      bins: [...calibration.bins],
    },
    mistakes: report.mistakes.map(withNames),
    ...(report.images && { images: report.images.map(withNames) }),
  };
}

export function describeComparison(
  model: VersionReference,
  other: VersionReference,
  { dataset, split, classNames, imageUrl }: EvaluatedSplit,
  { examples, counts, mcnemar, classes, differences }: ComparedAnswers,
): ModelComparison {
  const named = (label: number) => ({ label, className: classNames[label]! });
  return {
    model,
    other,
    dataset,
    split,
    examples,
    verdict: decideVerdict(counts, mcnemar),
    sentence: `${describeVerdict(
      `${model.name}@${model.version}`,
      `${other.name}@${other.version}`,
      `images of the ${split} split of ${dataset}`,
      counts,
      mcnemar,
    )}.`,
    accuracy: {
      model: (counts.n10 + counts.n11) / examples,
      other: (counts.n01 + counts.n11) / examples,
      change: (counts.n10 - counts.n01) / examples,
    },
    counts,
    mcnemar,
    classes: classes.map(({ support, first, second }, label) => ({
      ...named(label),
      support,
      model: support === 0 ? null : first / support,
      other: support === 0 ? null : second / support,
      change: support === 0 ? null : (first - second) / support,
    })),
    differences: {
      total: differences.total,
      images: differences.first.map(({ index, label, first, second }) => ({
        index,
        image: imageUrl(index),
        ...named(label),
        model: named(first),
        other: named(second),
      })),
    },
  };
}
