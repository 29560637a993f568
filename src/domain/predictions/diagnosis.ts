/** Diagnosis of images unlike the training images. `numerics/diagnosis` computes it. */
import { z } from 'zod';
import type { Finding } from '../../numerics/diagnosis/diagnose.ts';

export const FINDINGS = [
  'blank',
  'unscaled',
  'inverted',
  'transposed',
  'off-centre',
  'far-from-training-data',
] as const satisfies readonly Finding['code'][];

export const CORRECTIONS = ['oriented', 'resized', 'inverted'] as const;

const correctionSchema = z.object({ code: z.enum(CORRECTIONS), detail: z.string() });
/** A change that was made to the image before prediction. */
export type Correction = z.infer<typeof correctionSchema>;

export const diagnosisSchema = z
  .object({
    findings: z
      .array(z.object({ code: z.enum(FINDINGS), detail: z.string(), advice: z.string() }))
      .describe('Problems found and not corrected; empty if the image has none'),
    corrected: z
      .array(correctionSchema)
      .describe('Changes made to an encoded image by `fit` or by the preprocessing of the model'),
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

/**
 * The diagnosis of an image that a calibration has judged: whether it is far from the training images is what was judged, and is
 * reported only if nothing else explains the image.
 */
export function withJudgement({ findings, corrected }: Diagnosis, isUnlike: boolean): Diagnosis {
  const others = findings.filter(({ code }) => code !== 'far-from-training-data');
  if (!isUnlike || others.length > 0) return { findings: others, corrected };
  const detail =
    'The image is unlike the training images: few of the calibration images are as unusual, by their distance from these and by their logits.';
  return { findings: [{ code: 'far-from-training-data', detail, advice: FAR_ADVICE }], corrected };
}

const FAR_ADVICE =
  'Do not rely on the prediction. Check that the image shows one object, light on black, as the training images do.';

const inPixels = (value: number) => value.toFixed(1);

function explain(finding: Finding): { detail: string; advice: string } {
  switch (finding.code) {
    case 'blank':
      return {
        detail: `Every pixel is ${finding.value}, so the image is blank.`,
        advice: 'Check the code that reads the image.',
      };
    case 'unscaled':
      return {
        detail: `No pixel is greater than ${finding.max} of 255, so the image is almost black.`,
        advice:
          finding.max <= 1
            ? 'Multiply the pixels by 255, or set ?pixels=0-1 if the body is JSON or npy.'
            : 'If white is less than 255 in these pixels, scale them: pixels of 0 to 16, for example, by 255 / 16.',
      };
    case 'inverted':
      return {
        detail: `The image seems inverted: after inverting it, ${describeGain(finding)}.`,
        advice:
          'Send 255 − pixel. The training images have a dark background where this image has a light one.',
      };
    case 'transposed':
      return {
        detail: `The image seems transposed: after transposing it, ${describeGain(finding)}.`,
        advice: 'Transpose the array. Pixels are sent row by row, in C order.',
      };
    case 'off-centre': {
      const { x, y, centre } = finding;
      const ranges = [centre.x, centre.y].map(({ low, high }) => `${inPixels(low)} to ${inPixels(high)}`);
      return {
        detail:
          `The centre of mass is in column ${inPixels(x)} and row ${inPixels(y)}; ` +
          `in the training images it is in columns ${ranges[0]} and rows ${ranges[1]}.`,
        advice: 'Crop the image to the object and centre it.',
      };
    }
    case 'far-from-training-data':
      return {
        detail:
          `The image does not resemble any class of the training images: its log-likelihood is ${finding.likelihood.toFixed(0)}, ` +
          `while training images are rarely below ${finding.usual.toFixed(0)}.`,
        advice: FAR_ADVICE,
      };
  }
}

function describeGain({ gain, usual }: { readonly gain: number; readonly usual: number }): string {
  const most = Math.max(0, usual).toFixed(0);
  return `its log-likelihood under the training images rises by ${gain.toFixed(0)}; for training images it rarely rises by more than ${most}`;
}
