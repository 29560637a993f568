/** State of a job in a few lines: status, progress, results, and in words what went wrong. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { JobStatus } from '../../components/feedback/job-status.tsx';
import { ProgressBar } from '../../components/feedback/progress-bar.tsx';
import { count, dateTime, describeLayers, duration, percent, significant } from '../../format.ts';
import { links } from '../../router.ts';
import { useStopReason } from '../../state/stopped-jobs.ts';
import { Priority } from './priority.tsx';
import { Report } from './report.tsx';
import { Served } from './served.tsx';
import type { Training } from './use-training.ts';
import { VerificationResult } from './verification.tsx';

export interface SummaryProps {
  readonly job: TrainingJob;
  readonly training: Training;
}

export function Summary({ job, training }: SummaryProps): JSX.Element {
  const { best, model, search } = job;
  const isEnded = job.finishedAt !== null;
  const testAccuracy = job.publication?.testAccuracy ?? best?.testAccuracy ?? null;
  return (
    <section class="box" aria-label="State of the job">
      <ProgressLine job={job} training={training} />
      <Notices job={job} training={training} />
      {isEnded && model && <Served name={model.name} version={model.version} />}
      <dl class="facts">
        <dt>Job</dt>
        <dd>
          <code>{job.id}</code>
        </dd>
        <dt>Network</dt>
        <dd>
          {describeLayers(job.network)}, {job.network.activation}, on{' '}
          <a href={links.dataset(job.dataset)}>
            <DatasetName id={job.dataset} />
          </a>
        </dd>
        {best && (
          <>
            <dt>Best epoch</dt>
            <dd>
              {best.epoch}: {best.validationLoss === null ? 'training' : 'validation'} loss{' '}
              {significant(best.validationLoss ?? best.trainLoss)}, accuracy{' '}
              {percent(best.validationAccuracy ?? best.trainAccuracy)}
            </dd>
          </>
        )}
        {model && (
          <>
            <dt>Model</dt>
            <dd>
              <a href={links.modelVersion(model.name, model.version)}>
                <DatasetName id={model.name} />@{model.version}
              </a>
              {job.publication && <span class="note"> {job.publication.reason}</span>}
            </dd>
          </>
        )}
        {testAccuracy !== null && (
          <>
            <dt>Test accuracy</dt>
            <dd>{percent(testAccuracy)}</dd>
          </>
        )}
        {search && (
          <>
            <dt>Search</dt>
            <dd>
              <a href={links.search(search.id)}>{search.id}</a>
              {search.trial === null ? ', final training' : `, trial ${search.trial}`}
            </dd>
          </>
        )}
        <dt>{job.startedAt === null ? 'Created' : 'Started'}</dt>
        <dd>{dateTime(job.startedAt ?? job.createdAt)}</dd>
        {!isEnded && <Priority job={job} onChange={training.job.replace} />}
      </dl>
      {job.verification && <VerificationResult job={job} verification={job.verification} />}
      {isEnded && <Report job={job} />}
    </section>
  );
}

function ProgressLine({ job, training: { progress, records } }: SummaryProps): JSX.Element {
  const { epochs, fraction, imagesPerSecond, etaSeconds } = progress ?? job.progress;
  const epoch = Math.max(progress?.epoch ?? 0, records.length);
  const seconds =
    job.finishedAt !== null && job.startedAt !== null
      ? (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000
      : null;
  return (
    <p class="job-progress">
      <span aria-live="polite">
        <JobStatus job={job} />
      </span>
      <span class="number">
        epoch {count(epoch)}/{count(epochs)}
      </span>
      <ProgressBar label="Progress of the training" fraction={fraction} />
      {job.status === 'running' && (
        <>
          <span class="number">
            {imagesPerSecond === null ? '–' : count(Math.round(imagesPerSecond))} images/s
          </span>
          <span class="number">{duration(etaSeconds)} left</span>
        </>
      )}
      {seconds !== null && <span class="number">in {duration(seconds)}</span>}
    </p>
  );
}

/** Errors, reasons to wait, and warnings, the last ones first. */
function Notices({ job, training: { warnings: all, problem } }: SummaryProps): JSX.Element {
  // The publication has the same sentence.
  const warnings = all.filter(({ code }) => job.publication === null || code !== 'not-learned');
  const sentences = [
    useStopReason(job),
    job.waiting === 'memory' && 'The job is next and is waiting until its memory is free.',
    job.waiting === 'storage' && 'The job is waiting until its progress can be stored.',
    job.pauseReason,
    job.preemptedBy &&
      `Job ${job.preemptedBy} has a higher priority and runs first. This job then continues.`,
    job.publication?.version === null && job.publication.reason,
    job.publication?.warning,
    problem && problem.status !== 410 && `Its events cannot be followed: ${problem.message}`,
    problem?.status === 410 && 'The events of this job have been deleted, and its warnings with them.',
  ].filter((sentence) => typeof sentence === 'string');
  return (
    <>
      {job.error && (
        <p class="notice failed" role="alert">
          <strong>{job.error.message}</strong> <code>{job.error.code}</code>
        </p>
      )}
      {sentences.map((sentence) => (
        <p key={sentence} class="notice">
          {sentence}
        </p>
      ))}
      {warnings.length > 0 && (
        <details class="notice" open={warnings.length <= 3}>
          <summary>{warnings.length === 1 ? 'One warning' : `${count(warnings.length)} warnings`}</summary>
          <ul>
            {warnings.slice(-MAX_WARNINGS).map(({ code, message, advice, epoch }, i) => (
              <li key={i}>
                {epoch !== undefined && `Epoch ${epoch}: `}
                {message} {advice} <code>{code}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** The last ones are shown. */
const MAX_WARNINGS = 50;
