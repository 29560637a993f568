/** What is told of a picture that does not look like those of the training. The mathematics is `numerics/diagnosis`. */
import { z } from 'zod';
import type { Finding } from '../numerics/diagnosis/diagnose.ts';

export const FINDINGS = [
  'blank',
  'unscaled',
  'inverted',
  'transposed',
  'off-centre',
  'far-from-training-data',
] as const satisfies readonly Finding['code'][];

export const CORRECTIONS = ['oriented', 'resized'] as const;

const correctionSchema = z.object({ code: z.enum(CORRECTIONS), detail: z.string() });
/** What was changed before the picture was predicted. */
export type Correction = z.infer<typeof correctionSchema>;

export const diagnosisSchema = z
  .object({
    findings: z
      .array(z.object({ code: z.enum(FINDINGS), detail: z.string(), advice: z.string() }))
      .describe('What seems wrong, none where nothing does; nothing of it was changed'),
    corrected: z.array(correctionSchema).describe('What was changed, by `fit=contain` only'),
  })
  .meta({ id: 'Diagnosis' });
export type Diagnosis = z.infer<typeof diagnosisSchema>;

export function describeDiagnosis(
  findings: readonly Finding[],
  corrected: readonly Correction[] = [],
): Diagnosis {
  return {
    findings: findings.map((finding) => ({ code: finding.code, ...explain(finding) })),
    corrected: [...corrected],
  };
}

const inPixels = (value: number) => value.toFixed(1);

function explain(finding: Finding): { detail: string; advice: string } {
  switch (finding.code) {
    case 'blank':
      return {
        detail: `Every pixel is ${finding.value}: there is nothing to see.`,
        advice: 'Look at what reads the picture.',
      };
    case 'unscaled':
      return {
        detail: `No pixel is greater than ${finding.max} of 255: the picture is all but black.`,
        advice: 'Multiply by 255, or say ?pixels=0-1 where the body is JSON or npy.',
      };
    case 'inverted':
      return {
        detail: `Light and dark seem exchanged: with them exchanged back ${describeGain(finding)}.`,
        advice: 'Send 255 − pixel: the background of the training images is dark where this one is light.',
      };
    case 'transposed':
      return {
        detail: `Rows and columns seem exchanged: with them exchanged back ${describeGain(finding)}.`,
        advice: 'Send the picture row by row, as in NumPy’s C order; transpose the array.',
      };
    case 'off-centre': {
      const { x, y, centre } = finding;
      const ranges = [centre.x, centre.y].map(({ low, high }) => `${inPixels(low)} to ${inPixels(high)}`);
      return {
        detail:
          `The centre of mass is in column ${inPixels(x)} and row ${inPixels(y)}; ` +
          `those of the training images are in columns ${ranges[0]} and rows ${ranges[1]}.`,
        advice: 'Crop the picture to what it shows, and centre that.',
      };
    }
    case 'far-from-training-data':
      return {
        detail:
          `It resembles no class of the training images: its log-likelihood is ${finding.likelihood.toFixed(0)}, ` +
          `theirs is seldom below ${finding.usual.toFixed(0)}.`,
        advice:
          'Do not rely on the prediction. Is it such a picture as the model was trained on, light on black, alone?',
      };
  }
}

function describeGain({ gain, usual }: { readonly gain: number; readonly usual: number }): string {
  const most = Math.max(0, usual).toFixed(0);
  return `its log-likelihood among the training images is greater by ${gain.toFixed(0)}, which is seldom more than ${most}`;
}
