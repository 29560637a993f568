/** What is shown of a model's answers to a split. The mathematics is `numerics/evaluation`. */
import { z } from 'zod';
import type { ClassificationReport } from '../numerics/evaluation/classification-report.ts';
import type { Comparison as ComparedAnswers } from '../numerics/evaluation/comparison.ts';
import { MCNEMAR_METHODS } from '../numerics/evaluation/mcnemar.ts';
import { SPLITS, type SplitName } from './dataset.ts';
import { type VersionReference, versionReferenceSchema } from './model-reference.ts';

export const evaluationQuerySchema = z.strictObject({
  split: z.enum(SPLITS).default('test').describe('Which images'),
  dataset: z
    .string()
    .max(64)
    .optional()
    .describe('Id of a data set of as many classes; that of the training by default'),
});
export type EvaluationQuery = z.output<typeof evaluationQuerySchema>;

export const comparisonQuerySchema = evaluationQuerySchema.extend({
  with: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,63}(@[a-z0-9][a-z0-9._-]{0,63})?$/,
      'must be "name@version", "name@alias" or "name"',
    )
    .describe('The other version, `name@version`; it has the same classes'),
});
export type ComparisonQuery = z.output<typeof comparisonQuerySchema>;

/** The images that were asked about, and where each can be seen. */
export interface EvaluatedSplit {
  readonly dataset: string;
  readonly split: SplitName;
  readonly classNames: readonly string[];
  imageUrl(index: number): string;
}

const scores = {
  precision: z.number().describe('0 where nothing was taken for it'),
  recall: z.number().describe('0 where there is no image of it'),
  f1: z.number(),
};

const evaluatedOn = {
  dataset: z.string(),
  split: z.enum(SPLITS),
  examples: z.int().describe('Number of images'),
};

const imageFields = {
  index: z.int().describe('Of the image in the split'),
  image: z.string().describe('Where the picture is'),
  label: z.int(),
  className: z.string(),
};

const fraction = z.number().min(0).max(1);

export const evaluationSchema = z
  .object({
    model: versionReferenceSchema,
    ...evaluatedOn,
    loss: z.number().nullable().describe('Mean cross-entropy, in nats; null where the network overflows'),
    accuracy: fraction,
    accuracyInterval: z.object({
      method: z.literal('wilson-score'),
      level: z.literal(0.95),
      low: fraction,
      high: fraction,
    }),
    confusionMatrix: z
      .array(z.array(z.int()))
      .describe(
        'Number of images; a row a class that they are of, a column a class that they were taken for',
      ),
    classes: z.array(
      z.object({
        label: z.int(),
        className: z.string(),
        ...scores,
        support: z.int().describe('Images of the class'),
      }),
    ),
    macroAverage: z.object(scores).describe('Unweighted means over the classes'),
    calibration: z.object({
      expectedCalibrationError: fraction.describe(
        'Mean over the images of |accuracy − confidence| of their bin; the confidence is the probability of the likeliest class',
      ),
      bins: z.array(
        z.object({
          from: fraction,
          to: fraction.describe('Confidences greater than `from` and at most `to`'),
          count: z.int(),
          confidence: fraction.nullable().describe('Mean; null in an empty bin'),
          accuracy: fraction.nullable(),
        }),
      ),
    }),
    mistakes: z
      .array(
        z.object({
          ...imageFields,
          predicted: z.int(),
          predictedClassName: z.string(),
          probability: fraction.describe('Of the class that it was taken for'),
        }),
      )
      .describe('The most confident first, at most 20'),
  })
  .meta({ id: 'Evaluation' });
export type Evaluation = z.infer<typeof evaluationSchema>;

export const comparisonSchema = z
  .object({
    model: versionReferenceSchema,
    other: versionReferenceSchema,
    ...evaluatedOn,
    accuracy: z.object({ model: fraction, other: fraction, change: z.number().describe('model − other') }),
    counts: z
      .object({ n00: z.int(), n01: z.int(), n10: z.int(), n11: z.int() })
      .describe('Images that neither, only the other, only the model, and both classified rightly'),
    mcnemar: z.object({
      method: z.enum(MCNEMAR_METHODS).describe('Exact where n01 + n10 is less than 25'),
      statistic: z.number().nullable().describe('χ²; null for the exact test'),
      pValue: fraction.describe('Two-sided; that both are right equally often'),
    }),
    classes: z.array(
      z.object({
        label: z.int(),
        className: z.string(),
        support: z.int(),
        model: fraction
          .nullable()
          .describe("Share of the class's images classified rightly; null without any"),
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
      .describe('Images that the two take for different classes; the first 100 are shown'),
  })
  .meta({ id: 'Comparison' });
export type ModelComparison = z.infer<typeof comparisonSchema>;

export function describeEvaluation(
  model: VersionReference,
  { dataset, split, classNames, imageUrl }: EvaluatedSplit,
  report: ClassificationReport,
): Evaluation {
  const { examples, loss, accuracy, confusion, calibration } = report;
  return {
    model,
    dataset,
    split,
    examples,
    loss: Number.isFinite(loss) ? loss : null,
    accuracy,
    accuracyInterval: { method: 'wilson-score', level: 0.95, ...report.interval },
    confusionMatrix: confusion.map((row) => [...row]),
    classes: report.classes.map((each, label) => ({ label, className: classNames[label]!, ...each })),
    macroAverage: report.macro,
    calibration: {
      expectedCalibrationError: calibration.expectedError,
      bins: [...calibration.bins],
    },
    mistakes: report.mistakes.map(({ index, label, predicted, probability }) => ({
      index,
      image: imageUrl(index),
      label,
      className: classNames[label]!,
      predicted,
      predictedClassName: classNames[predicted]!,
      probability,
    })),
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
