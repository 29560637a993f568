/** Whether a repeated training ended with the same parameters. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { Verification } from '../../../src/domain/training/reproducibility.ts';
import { links } from '../../router.ts';

export interface VerificationResultProps {
  readonly job: TrainingJob;
  readonly verification: Verification;
}

export function VerificationResult({ job, verification }: VerificationResultProps): JSX.Element {
  const { of, expected } = verification;
  return (
    <section class="stack job-verification" aria-labelledby="verification">
      <h2 id="verification">Verification</h2>
      <p aria-live="polite">
        <strong>{describeResult(job, verification)}</strong>
      </p>
      <dl class="facts">
        <dt>Repeats</dt>
        <dd>
          <a href={links.job(of)}>{of}</a>
        </dd>
        <dt>Its digest</dt>
        <dd>
          <code>{expected}</code>
        </dd>
        <dt>Digest here</dt>
        <dd>
          <code>{job.digest ?? '–'}</code>
        </dd>
      </dl>
    </section>
  );
}

function describeResult(job: TrainingJob, { agrees, sameKernel, sameProcessor }: Verification): string {
  if (agrees === true) return 'Verified: the repetition ended with the same parameters, bit for bit.';
  if (agrees === null && job.finishedAt === null) return 'The training is repeated from the receipt.';
  if (agrees === null) return 'The repetition did not end, so the digests cannot be compared.';
  const reasons = [
    sameKernel === false && 'another kernel computed it',
    sameProcessor === false && 'this processor rounds multiply-adds differently',
  ].filter(Boolean);
  const reason = reasons.length > 0 ? reasons.join(', and ') : 'nothing explains the difference';
  return `The parameters differ: ${reason}.`;
}
