/** Why a search stopped a training of a trial, from the events of the search. Its job is cancelled then. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { SearchEvent } from '../../src/domain/searches/representation.ts';
import { requestJson } from '../api/client.ts';

/** By job; null for jobs that ended otherwise. */
const reasons = signal<ReadonlyMap<string, string | null>>(new Map());
/** Searches that are being read. */
const reading = new Set<string>();

/** An event may follow the end of its job. */
const RETRY_MS = 1000;
const MAX_ATTEMPTS = 5;

/** @returns null if it was not stopped, or is not known to be */
export function useStopReason({ id, status, search }: TrainingJob): string | null {
  const searchId = status === 'cancelled' && search !== null && search.trial !== null ? search.id : null;
  useEffect(() => {
    if (searchId === null) return;
    let timer: ReturnType<typeof setTimeout>;
    async function look(attempts: number): Promise<void> {
      if (reasons.value.has(id) || attempts === 0) return;
      await readReasons(searchId!).catch(() => {});
      timer = setTimeout(look, RETRY_MS, attempts - 1);
    }
    void look(MAX_ATTEMPTS);
    return () => clearTimeout(timer);
  }, [id, searchId]);
  return reasons.value.get(id) ?? null;
}

/** The part of the events that is used here. */
interface EventData {
  readonly jobId: string;
  readonly trial: number;
  readonly status: string;
  readonly epoch: number;
  readonly continued: readonly number[];
  readonly stopped: readonly number[];
  readonly finishing?: boolean;
  readonly reason?: string;
}

async function readReasons(searchId: string): Promise<void> {
  if (reading.has(searchId)) return;
  reading.add(searchId);
  const known = new Map<string, string | null>();
  const atRung = new Map<number, string>();
  let finish: string | null = null;
  try {
    for await (const { type, data } of readEvents(searchId)) {
      const { jobId, trial, status, epoch, continued, stopped, finishing, reason } =
        data as unknown as EventData;
      if (type === 'rung')
        for (const each of stopped) atRung.set(each, describeRung(epoch, continued, stopped));
      if (type === 'status' && finishing) finish = describeFinish(reason);
      if (type === 'trial' && ENDED.includes(status)) {
        known.set(jobId, status === 'stopped' ? (atRung.get(trial) ?? finish ?? REPEAT_LOST) : null);
      }
    }
    reasons.value = new Map([...reasons.value, ...known]);
  } finally {
    reading.delete(searchId);
  }
}

const ENDED = ['stopped', 'cancelled', 'failed', 'succeeded'];

async function* readEvents(searchId: string): AsyncGenerator<SearchEvent> {
  const path = `/v1/searches/${encodeURIComponent(searchId)}/events`;
  for (let after: string | null = '0'; after !== null; ) {
    const page: { data: SearchEvent[]; lastId: string | null; hasMore: boolean } = await requestJson(
      `${path}?after=${after}`,
      { isRecorded: false },
    );
    yield* page.data;
    after = page.hasMore ? page.lastId : null;
  }
}

function describeRung(epoch: number, continued: readonly number[], stopped: readonly number[]): string {
  const trials = continued.length + stopped.length;
  return `Its search stopped it at a rung, after ${epoch} ${epoch === 1 ? 'epoch' : 'epochs'}: the best ${continued.length} of ${trials} trials continued.`;
}

const describeFinish = (reason: string | undefined): string =>
  reason === 'time-budget'
    ? 'Its search stopped it, because the time budget of the search was used up.'
    : 'Its search stopped it, because the search was finished on request.';

const REPEAT_LOST =
  'Its search stopped it, because another training of the same trial failed or was cancelled.';
