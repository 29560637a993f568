/** Reproducibility: the execution environment of a training, and its verification. */
import { z } from 'zod';

export const executionEnvironmentSchema = z.object({
  dataset: z.object({ id: z.string(), digest: z.string() }),
  kernel: z
    .object({ name: z.string(), digest: z.string().describe('`sha256:` and digest of the WebAssembly code') })
    .describe('Kernel that computed the training'),
  fused: z.boolean().describe('Whether the processor rounded multiply-adds once (fused) instead of twice'),
});
/** The environment of a job's last run. */
export type ExecutionEnvironment = z.infer<typeof executionEnvironmentSchema>;

/** The part of the environment that decides the last bits of a result, besides the data. */
export type Arithmetic = Pick<ExecutionEnvironment, 'kernel' | 'fused'>;

export const verificationSchema = z.object({
  of: z.string().describe('The job that is repeated'),
  expected: z.string().describe('Digest of that job'),
  agrees: z.boolean().nullable().describe('Whether the digests are equal; null until the job ends'),
  sameKernel: z.boolean().nullable().describe('Whether both used the same kernel; null before the start'),
  sameProcessor: z
    .boolean()
    .nullable()
    .describe(
      'Whether both processors round multiply-adds in the same way, as equal parameters require; null before the start',
    ),
});
export type Verification = z.infer<typeof verificationSchema>;

/** The job to compare a repetition with, recorded when the repetition was requested. */
export type ReproductionTarget = Pick<Verification, 'of' | 'expected'> & Arithmetic;

/**
 * @param environments in which the repetition ran: several if it continued in another one; empty before its start
 * @param digest parameters digest of the repetition; null until it ends
 */
export function compareReproduction(
  { of, expected, kernel, fused }: ReproductionTarget,
  environments: readonly Arithmetic[],
  digest: string | null,
): Verification {
  const hasStarted = environments.length > 0;
  return {
    of,
    expected,
    agrees: digest === null ? null : digest === expected,
    sameKernel: hasStarted ? environments.every((each) => each.kernel.digest === kernel.digest) : null,
    sameProcessor: hasStarted ? environments.every((each) => each.fused === fused) : null,
  };
}
