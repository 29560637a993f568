/** Statuses of jobs and their transitions. */
import { AtelierError } from '../../errors.ts';

export const JOB_STATUSES = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];
/** Statuses of jobs that a thread works on. */
export const ACTIVE_STATUSES = ['running', 'pausing', 'cancelling'] as const satisfies readonly JobStatus[];

/**
 * Allowed transitions. `running → queued` happens when the service stops, after a crash, or in favour of a job of higher
 * priority; `running → paused` when a trial reaches a rung of its search.
 */
const TRANSITIONS: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  queued: ['running', 'paused', 'cancelled'],
  running: ['pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'queued'],
  pausing: ['paused', 'cancelling', 'succeeded', 'failed'],
  paused: ['queued', 'cancelled'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

export function isActive(status: JobStatus): boolean {
  return ACTIVE_STATUSES.some((active) => active === status);
}

export function isEnded(status: JobStatus): boolean {
  return TRANSITIONS[status].length === 0;
}

export const UNFINISHED_STATUSES = JOB_STATUSES.filter((status) => !isEnded(status));

/**
 * Validates a change of status; every change of a job's status goes through this function.
 * @throws AtelierError `illegal-transition`
 */
export function transition(from: JobStatus, to: JobStatus): JobStatus {
  if (!TRANSITIONS[from].includes(to)) {
    const allowed = TRANSITIONS[from].join(', ');
    throw new AtelierError(
      'illegal-transition',
      allowed
        ? `A ${from} job cannot become ${to}. From ${from} it can become ${allowed}.`
        : `A ${from} job cannot become ${to}. It has ended.`,
    );
  }
  return to;
}
