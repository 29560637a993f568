/** Subscriptions to the events of jobs and searches: stored events first, then each new one as it is committed. */
import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { isEnded, type JobStatus } from '../../domain/jobs/status.ts';
import type { JobEvent } from '../../domain/jobs/training.ts';
import type { SearchEvent } from '../../domain/searches/representation.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { Page, Store } from '../../store/persistent-state.ts';
import { listEvents } from './list.ts';

export type EventPage = readonly (JobEvent | SearchEvent)[];

export interface Cursor {
  /** Id of the last event that the client received; 0 to receive all events. */
  readonly after: number;
  /** The parameter or header that contains the id. */
  readonly parameter: string;
}

/**
 * Subscribes to the events of a job or a search after a cursor.
 * @returns a function that yields pages without gaps or repeats, read on demand, and an empty page after each quiet
 *   interval and while the database is unavailable. It ends with the last event of an ended job, when the job is deleted,
 *   or when `signal` aborts. Undefined if the job has ended and no event follows the cursor.
 * @throws AtelierError `training-job-not-found`, `search-not-found`, `events-deleted`, `impossible-request` if event `after` does not exist
 */
export type SubscribeEvents = (
  id: string,
  cursor: Cursor,
) => Promise<((signal: AbortSignal) => AsyncIterable<EventPage>) | undefined>;

/** A job or a search. */
interface Subject {
  readonly id: string;
  readonly status: JobStatus;
}

/** Resources with events. */
interface Subjects {
  /** How a message names one. */
  readonly noun: string;
  get(id: string): Promise<Subject | undefined>;
  list(id: string, query: EventQuery): Promise<Page<EventPage[number]>>;
  /** Like `list`. @throws AtelierError `events-deleted` if events before the page were deleted */
  listAll(subject: Subject, query: EventQuery): Promise<Page<EventPage[number]>>;
  notFound(id: string): AtelierError;
}
type EventQuery = { readonly limit: number; readonly after: number };

/** The subscribers of one job or search, and the pages read since its last event, by cursor. */
interface Feed {
  readonly subscribers: Set<() => void>;
  readonly pages: LRUCache<number, Promise<EventPage>>;
  isDeleted: boolean;
}

/** Events per page, about 60 kB. */
const PAGE_SIZE = 100;
const MAX_CACHED_PAGES = 8;
/**
 * Number of subscribers notified at a time. Each one then writes to a socket and delays predictions, so batches
 * are separated by pauses. 200 subscribers are notified within 40 ms.
 */
const NOTIFY_BATCH = 5;
const BATCH_PAUSE_MS = 1;
const IDLE_MS = 15_000;
/** Interval between attempts to read while the database is away. */
const OUTAGE_RETRY_MS = 1_000;
const EMPTY_PAGE: EventPage = [];

/** @param idleMs interval without events after which an empty page is yielded */
export function createEventSubscriptions(
  { jobs, events, notices }: Pick<Store, 'jobs' | 'events' | 'notices'>,
  idleMs = IDLE_MS,
): SubscribeEvents {
  const subjects: Subjects = {
    noun: 'job',
    get: jobs.get,
    list: events.list,
    listAll: (job, query) => listEvents(events, job, query),
    notFound: (id) => new AtelierError('training-job-not-found', `Training job ${id} does not exist.`),
  };
  return createSubscriptions(subjects, notices, idleMs);
}

export function createSearchSubscriptions({
  searches,
  notices,
}: Pick<Store, 'searches' | 'notices'>): SubscribeEvents {
  const subjects: Subjects = {
    noun: 'search',
    get: searches.get,
    list: searches.events,
    listAll: ({ id }, query) => searches.events(id, query),
    notFound: (id) => new AtelierError('search-not-found', `Search ${id} does not exist.`),
  };
  return createSubscriptions(subjects, notices, IDLE_MS);
}

function createSubscriptions(subjects: Subjects, notices: Store['notices'], idleMs: number): SubscribeEvents {
  const feeds = new Map<string, Feed>();

  notices.on('event', (jobId) => {
    const feed = feeds.get(jobId);
    if (!feed) return;
    // These pages were read before the event was committed.
    feed.pages.clear();
    void notifyInBatches(feed.subscribers);
  });

  notices.on('models', (subject) => {
    const feed = feeds.get(subject);
    // A model cannot have the id of a job as its name, so the job was deleted.
    if (feed) feed.isDeleted = true;
  });

  function subscribe(jobId: string, wake: () => void): Feed {
    const feed = feeds.get(jobId) ?? {
      subscribers: new Set(),
      pages: new LRUCache({ max: MAX_CACHED_PAGES }),
      isDeleted: false,
    };
    feeds.set(jobId, feed);
    feed.subscribers.add(wake);
    return feed;
  }

  function unsubscribe(jobId: string, feed: Feed, wake: () => void): void {
    feed.subscribers.delete(wake);
    if (feed.subscribers.size === 0) feeds.delete(jobId);
  }

  /** Subscribers at the same cursor share one query. */
  function read({ pages }: Feed, jobId: string, after: number): Promise<EventPage> {
    const known = pages.get(after);
    if (known) return known;
    const page = subjects.list(jobId, { after, limit: PAGE_SIZE }).then(({ data }) => data);
    pages.set(after, page);
    page.catch(() => pages.delete(after));
    return page;
  }

  /** Returns null if the database is unavailable: a stream outlives that. */
  async function readUnlessAway(feed: Feed, jobId: string, after: number): Promise<EventPage | null> {
    try {
      return await read(feed, jobId, after);
    } catch (error) {
      if (hasCode(error, 'storage-unavailable')) return null;
      throw error;
    }
  }

  /** A job whose row cannot be read now is not deleted. */
  const isGone = (jobId: string) =>
    subjects.get(jobId).then(
      (job) => job === undefined,
      () => false,
    );

  async function* follow(job: Subject, after: number, signal: AbortSignal): AsyncGenerator<EventPage> {
    const jobId = job.id;
    let hasEnded = isEnded(job.status);
    let changed = Promise.withResolvers<void>();
    const wake = () => changed.resolve();
    const feed = subscribe(jobId, wake);
    const unfollow = notices.follow(jobId);
    signal.addEventListener('abort', wake);
    try {
      let isQuiet = false;
      for (let last = after; !signal.aborted; ) {
        // Reset before the query, so that an event committed during the query wakes this subscriber again.
        changed = Promise.withResolvers();
        const page = await readUnlessAway(feed, jobId, last);
        if (page === null) {
          if (await timesOut(changed.promise, Math.min(idleMs, OUTAGE_RETRY_MS))) yield EMPTY_PAGE;
          continue;
        }
        const newest = page.at(-1);
        // Retention may delete the events of an ended job between two pages.
        if (newest !== undefined && page[0]!.id === last + 1) {
          yield page;
          hasEnded ||= page.some(endsJob);
          last = newest.id;
          isQuiet = false;
        } else {
          if (hasEnded || feed.isDeleted || (isQuiet && (await isGone(jobId)))) return;
          // If the next page is also empty, the job may have been deleted without notice.
          isQuiet = true;
          if (await timesOut(changed.promise, idleMs)) yield EMPTY_PAGE;
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      unsubscribe(jobId, feed, wake);
      unfollow();
    }
  }

  return async (jobId, { after, parameter }) => {
    const job = await subjects.get(jobId);
    if (!job) throw subjects.notFound(jobId);
    if (after > 0 || isEnded(job.status)) {
      const { data } = await subjects.listAll(job, { after: Math.max(0, after - 1), limit: 2 });
      if (after > 0) {
        const [seen, next] = data;
        if (seen === undefined) throw unknownEventId(`${subjects.noun} ${jobId}`, after, parameter);
        if (next === undefined && isEnded(job.status)) return undefined;
      }
    }
    return (signal) => follow(job, after, signal);
  };
}

async function notifyInBatches(subscribers: Iterable<() => void>): Promise<void> {
  let notified = 0;
  for (const wake of subscribers) {
    wake();
    notified += 1;
    if (notified % NOTIFY_BATCH === 0) await wait(BATCH_PAUSE_MS);
  }
}

/** Whether the promise takes longer than `milliseconds`. */
async function timesOut(changed: Promise<void>, milliseconds: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // The timer must not keep the process alive.
  const timer = setTimeout(resolve, milliseconds, true).unref();
  void changed.then(() => resolve(false));
  const quiet = await promise;
  clearTimeout(timer);
  return quiet;
}

function endsJob({ type, data }: EventPage[number]): boolean {
  return type === 'status' && isEnded(data['to'] as JobStatus);
}

function unknownEventId(subject: string, after: number, parameter: string): AtelierError {
  const detail = `event ${after} does not exist yet; omit ${parameter} for all events, or send the last id received`;
  return new AtelierError('impossible-request', `${parameter} is invalid for ${subject}: ${detail}.`, {
    details: [{ parameter, detail }],
  });
}
