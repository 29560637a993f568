/** How much a version's test accuracy can be trusted: looks at the test split, and intervals. */
import { z } from 'zod';
import { wilsonInterval } from '../../numerics/evaluation/wilson-interval.ts';

const fraction = z.number().min(0).max(1);
const interval = { level: z.literal(0.95), low: fraction, high: fraction };

export const testSetSchema = z
  .object({
    looks: z
      .object({
        total: z.int().describe('Looks until now'),
        before: z
          .int()
          .describe(
            'Looks before the version was published. All epochs of a training count from its first one on',
          ),
        lineage: z
          .int()
          .describe(
            'Looks at results of its own training, of this version, and of those that it started from',
          ),
      })
      .describe(
        'Looks at the test split: results of given parameters that were revealed for the first time. Each epoch, each evaluated ' +
          'or compared version, each that a prediction job uses, and each import counts once, for all data sets with the same test images and labels',
      ),
    chosenBy: z
      .enum(['validation', 'unknown'])
      .describe(
        '`validation` if the version was trained with a validation split, or is the result of a search (it chooses by validation images), ' +
          'and no test result of its lineage was revealed before it was published; otherwise `unknown`, because test results may have guided the choice, or because a version or job that it started ' +
          'from has been deleted',
      ),
    interval: z
      .object({ method: z.literal('wilson-score'), ...interval })
      .nullable()
      .describe(
        '95 % interval of testAccuracy, for a version that was not chosen by it; null without either',
      ),
    intervalOfBest: z
      .object({ method: z.literal('wilson-score-bonferroni'), ...interval, looks: z.int() })
      .nullable()
      .describe(
        'Interval of testAccuracy at the level 1 − 0.05 / `looks`. If each look had such an interval, all would hold together with a ' +
          'probability of at least 95 %, so it also holds for the best of them. It claims no more than that',
      ),
  })
  .meta({ id: 'TestSetUse' });
export type TestSetUse = z.infer<typeof testSetSchema>;

/** @param looks number of results among which the accuracy may be the best */
export function describeIntervals(
  accuracy: number,
  examples: number,
  looks: number,
): Pick<TestSetUse, 'interval' | 'intervalOfBest'> {
  const correct = Math.round(accuracy * examples);
  const counted = Math.max(1, looks);
  return {
    interval: { method: 'wilson-score', level: 0.95, ...wilsonInterval(correct, examples) },
    intervalOfBest: {
      method: 'wilson-score-bonferroni',
      level: 0.95,
      looks: counted,
      ...wilsonInterval(correct, examples, counted),
    },
  };
}
