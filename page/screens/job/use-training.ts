/** A training job in a component: its state, its epochs and its warnings, followed by its events. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpochRecord, Progress } from '../../../src/domain/jobs/epoch-record.ts';
import type { JobEvent, TrainingJob } from '../../../src/domain/jobs/training.ts';
import { requestJson } from '../../api/client.ts';
import { useEvents } from '../../api/event-stream.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { type Resource, useResource } from '../../api/use-resource.ts';

export interface TrainingWarning {
  readonly code: string;
  readonly message: string;
  readonly advice?: string;
  /** Absent for warnings that belong to no epoch. */
  readonly epoch?: number;
}

export interface Training {
  readonly path: string;
  readonly job: Resource<TrainingJob>;
  /** From the first epoch on, without gaps. The array grows in place. */
  readonly records: readonly EpochRecord[];
  /** Warnings of all epochs; once the job has ended, those of the last one. */
  readonly warnings: readonly TrainingWarning[];
  readonly progress: Progress | null;
  /** Reads the job again, such as after an action. */
  readonly refresh: () => void;
  /** Why the events cannot be followed. */
  readonly problem: ApiProblem | null;
}

/** The state from the events, collected between two frames. */
interface Followed {
  records: EpochRecord[];
  readonly warnings: TrainingWarning[];
  progress: Progress | null;
  /** The job that `progress` was last taken from. */
  loaded: TrainingJob | null;
  /** The stream begins with the past. It is over at the step that the job had when it was loaded. */
  isPast: boolean;
  status: string | null;
  isStale: boolean;
}

export const jobPath = (id: string): string => `/v1/training-jobs/${encodeURIComponent(id)}`;

/** Epochs are drawn once per frame, however many arrive. */
export function useTraining(id: string): Training {
  const path = jobPath(id);
  const job = useResource<TrainingJob>(path);
  // One response is read faster than the events of 10,000 epochs.
  const known = useResource<{ data: EpochRecord[] }>(`${path}/metrics`, { isRecorded: false });
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [, setFrame] = useState(0);
  const frame = useRef(0);
  const followed = useRef<Followed>({
    records: [],
    warnings: [],
    progress: null,
    loaded: null,
    isPast: true,
    status: null,
    isStale: false,
  }).current;
  const current = useRef(job);
  current.current = job;

  if (known.data !== null && known.data.data.length > followed.records.length) {
    followed.records = known.data.data;
  }
  // While it renders, so that the last state of a job is shown: no event follows it.
  if (job.data !== null && job.data !== followed.loaded) {
    followed.loaded = job.data;
    followed.progress = job.data.progress;
  }

  function refresh(): void {
    requestJson<TrainingJob>(path, { isRecorded: false }).then(
      (data) => current.current.replace(data),
      (error) => setProblem(toProblem(error)),
    );
  }

  function onFrame(): void {
    frame.current = 0;
    const { status, isStale } = followed;
    followed.status = null;
    followed.isStale = false;
    if (isStale || (status !== null && status !== current.current.data?.status)) refresh();
    setFrame((old) => old + 1);
  }

  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useEvents<JobEvent>(job.data !== null && (known.data ?? known.problem) !== null ? `${path}/events` : null, {
    onEvent(event) {
      if (applyEvent(followed, event, current.current.data?.progress.step ?? 0)) {
        frame.current ||= requestAnimationFrame(onFrame);
      }
    },
    onEnd: () => {
      if (current.current.data?.finishedAt === null) refresh();
    },
    onProblem: setProblem,
  });

  const { records, warnings, progress } = followed;
  return {
    path,
    job,
    records,
    warnings: job.data?.finishedAt ? standing(warnings, job.data) : warnings,
    progress: progress ?? job.data?.progress ?? null,
    refresh,
    problem,
  };
}

/** The warnings that still hold at the end: later epochs have disproved those of earlier ones. */
function standing(warnings: readonly TrainingWarning[], job: TrainingJob): TrainingWarning[] {
  const others = warnings.filter(({ epoch }) => epoch === undefined);
  return [...others, ...job.warnings.map((warning) => ({ ...warning, epoch: job.latest!.epoch }))];
}

/** @returns whether there is something new to draw, unlike for most of the past */
function applyEvent(followed: Followed, { type, data }: JobEvent, loadedStep: number): boolean {
  switch (type) {
    case 'epoch': {
      const record = data as unknown as EpochRecord;
      const isNew = record.epoch > (followed.records.at(-1)?.epoch ?? 0);
      if (isNew) followed.records.push(record);
      return isNew;
    }
    case 'progress': {
      const progress = data as unknown as Progress;
      if (progress.step >= loadedStep) followed.isPast = false;
      // Its events may be behind a job that has ended.
      if (followed.isPast || (followed.loaded?.finishedAt ?? null) !== null) return false;
      followed.progress = progress;
      return true;
    }
    case 'warning':
      followed.warnings.push(data as unknown as TrainingWarning);
      if ('waiting' in data && !followed.isPast) followed.isStale = true;
      return true;
    case 'status':
      followed.status = data['to'] as string;
      return true;
    case 'priority':
      followed.isStale = true;
      return true;
    default:
      return false;
  }
}
