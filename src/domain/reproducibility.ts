/** What the final parameters of a training depend on besides its request, and whether a repetition came to the same. */
import { z } from 'zod';

export const executionEnvironmentSchema = z.object({
  dataset: z.object({ id: z.string(), digest: z.string() }),
  kernel: z
    .object({ name: z.string(), digest: z.string().describe('`sha256:` of the WebAssembly module') })
    .describe('What computed it'),
  fused: z.boolean().describe('Whether multiply-adds were rounded once, which depends on the processor'),
});
/** Of a job's last run. */
export type ExecutionEnvironment = z.infer<typeof executionEnvironmentSchema>;

export const verificationSchema = z.object({
  of: z.string().describe('The job that is trained again'),
  expected: z.string().describe('Its digest'),
  agrees: z.boolean().nullable().describe('Whether the digests are the same; null until there is one'),
  sameKernel: z.boolean().nullable().describe('Whether the same kernel computes both; null before the start'),
  sameProcessor: z
    .boolean()
    .nullable()
    .describe(
      'Whether both processors round multiply-adds alike, as the same parameters need; null before the start',
    ),
});
export type Verification = z.infer<typeof verificationSchema>;

/** What a repetition is held against, as it was when it was asked for. */
export type ReproductionTarget = Pick<Verification, 'of' | 'expected'> &
  Pick<ExecutionEnvironment, 'kernel' | 'fused'>;

/** @param digest of what the repetition came to; null as long as that is nothing */
export function compareReproduction(
  { of, expected, kernel, fused }: ReproductionTarget,
  now: ExecutionEnvironment | null,
  digest: string | null,
): Verification {
  return {
    of,
    expected,
    agrees: digest === null ? null : digest === expected,
    sameKernel: now && now.kernel.digest === kernel.digest,
    sameProcessor: now && now.fused === fused,
  };
}
