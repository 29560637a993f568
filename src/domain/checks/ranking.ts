/** How well the probabilities of a version order images: ROC, precision–recall and the accuracy of the confident, as the API shows them. */
import { z } from 'zod';
import { MAX_CLASS_POINTS, type Ranking } from '../../numerics/evaluation/ranking.ts';
import { MAX_CURVE_POINTS, type ThresholdCurve } from '../../numerics/evaluation/threshold-curve.ts';
import { type VersionReference, versionReferenceSchema } from '../models/reference.ts';
import { type EvaluatedSplit, evaluatedOn } from './evaluation.ts';

const fraction = z.number().min(0).max(1);
const threshold = z
  .array(fraction.nullable())
  .describe('Descending; null for the first point, which is above every probability');

const curve = z
  .object({
    threshold,
    recall: z
      .array(fraction.nullable())
      .describe('Fraction of the positive examples at or above it: true positive rate'),
    falsePositiveRate: z
      .array(fraction.nullable())
      .describe('Fraction of the negative examples at or above it'),
    precision: z
      .array(fraction)
      .describe('Fraction of the examples at or above it that are positive; 1 without any'),
    accuracy: z.array(fraction).describe('Fraction of all examples that are on their side of it'),
  })
  .describe(
    `At most ${MAX_CURVE_POINTS} points, and ${MAX_CLASS_POINTS} of all classes together, in columns, evenly spaced along the ROC curve. The areas are computed from all thresholds`,
  );

const areas = {
  areaUnderRoc: fraction
    .nullable()
    .describe('Area under the ROC curve; null unless the split has images of the class and others'),
  averagePrecision: fraction.nullable().describe('null if the split has no image of the class'),
};

export const areasSchema = z
  .object({
    classes: z.array(z.object({ label: z.int(), className: z.string(), ...areas })),
    macroAverage: z.object(areas),
    microAverage: z.object(areas),
  })
  .meta({ id: 'RankingAreas' });
export type ShownAreas = z.infer<typeof areasSchema>;

export const rankingSchema = z
  .object({
    model: versionReferenceSchema,
    ...evaluatedOn,
    classes: z
      .array(
        z.object({
          label: z.int(),
          className: z.string(),
          support: z.int().describe('Number of images of the class: the positive examples'),
          ...areas,
          curve,
        }),
      )
      .describe('Each class against the rest, by its probability'),
    macroAverage: z.object(areas).describe('Unweighted means over the classes that have the figure'),
    microAverage: z
      .object({ ...areas, curve })
      .describe('All pairs of an image and a class together; positive are those of an image and its class'),
    answered: z
      .object({
        threshold,
        fraction: z
          .array(fraction)
          .describe('Fraction of the images whose highest probability is at or above it'),
        accuracy: z.array(fraction).describe('Accuracy on these images; 1 without any'),
      })
      .describe('The accuracy if only the predictions with the highest probabilities are given'),
  })
  .meta({ id: 'Ranking' });
export type ShownRanking = z.infer<typeof rankingSchema>;

export function describeRanking(
  model: VersionReference,
  { dataset, split, classNames }: Pick<EvaluatedSplit, 'dataset' | 'split' | 'classNames'>,
  { examples, classes, macro, micro, predictions }: Ranking,
): ShownRanking {
  const { threshold, precision } = describeCurve(predictions);
  return {
    model,
    dataset,
    split,
    examples,
    classes: classes.map((each, label) => ({
      label,
      className: classNames[label]!,
      support: each.positives,
      ...pickAreas(each),
      curve: describeCurve(each),
    })),
    macroAverage: macro,
    microAverage: { ...pickAreas(micro), curve: describeCurve(micro) },
    answered: {
      threshold,
      fraction: selected(predictions).map((count) => count / examples),
      accuracy: precision,
    },
  };
}

export const describeAreas = (
  { classes, macro, micro }: Ranking,
  classNames: readonly string[],
): ShownAreas => ({
  classes: classes.map((each, label) => ({ label, className: classNames[label]!, ...pickAreas(each) })),
  macroAverage: macro,
  microAverage: pickAreas(micro),
});

const pickAreas = ({ areaUnderRoc, averagePrecision }: ThresholdCurve) => ({
  areaUnderRoc,
  averagePrecision,
});

/** Number of examples at or above each threshold. */
const selected = ({ truePositives, falsePositives }: ThresholdCurve): number[] =>
  truePositives.map((count, i) => count + falsePositives[i]!);

function describeCurve(shown: ThresholdCurve): z.infer<typeof curve> {
  const { positives, negatives, thresholds, truePositives, falsePositives } = shown;
  const rates = (counts: readonly number[], all: number) =>
    counts.map((count) => (all === 0 ? null : count / all));
  const counts = selected(shown);
  return {
    threshold: thresholds.map((value) => (Number.isFinite(value) ? value : null)),
    recall: rates(truePositives, positives),
    falsePositiveRate: rates(falsePositives, negatives),
    precision: truePositives.map((count, i) => (counts[i] === 0 ? 1 : count / counts[i]!)),
    accuracy: truePositives.map(
      (count, i) => (count + negatives - falsePositives[i]!) / (positives + negatives),
    ),
  };
}
