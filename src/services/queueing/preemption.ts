/** Preemption: which running job of this process stops so that a queued job of higher priority can start. */
import type { LocalRun, PreemptJob } from '../../queue/local-runs.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { ActiveJob, Contest } from '../../store/runs/preemptions.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import { createPatience } from './patience.ts';
import type { PeerPlacement } from './placement.ts';
import type { ReadJobRequirement } from './requirement.ts';

/**
 * @param options.peersFor the other processes that may run a job
 * @param options.patienceMs time after which it is known that no other process can make room for the job
 */
export function createJobPreemption(options: {
  jobs: Pick<Store['jobs'], 'contest' | 'recordPreemption'>;
  memory: Pick<MemoryLedger, 'fitsJobs'>;
  readRequirement: ReadJobRequirement;
  peersFor?: PeerPlacement['peersFor'];
  patienceMs?: number;
}): PreemptJob {
  const { jobs, memory, readRequirement, peersFor = async () => [] } = options;
  const isPatient = createPatience(options.patienceMs);

  /** Whether another process has a free slot, or the job that is to stop. */
  async function isLeftToPeers(contest: Contest, own: readonly ActiveJob[]): Promise<boolean> {
    const peers = await peersFor(contest);
    if (peers.length === 0 || !isPatient(contest.id)) return false;
    const ofPeers = contest.active.filter(({ runner }) => peers.some(({ id }) => id === runner));
    if (ofPeers.some(({ status }) => status !== 'running')) return true;
    const slots = peers.reduce((sum, { slots }) => sum + slots, 0);
    const lowest = contest.active.find((job) => own.includes(job) || ofPeers.includes(job));
    return ofPeers.length < slots || (lowest !== undefined && ofPeers.includes(lowest));
  }

  return async (waiting, running, lacking) => {
    const contest = await jobs.contest(waiting);
    if (contest === null) return undefined;
    const isRunningHere = (id: string) => running.some((job) => job.id === id);
    // A run of this process is recorded and not stopped if the connection was lost after the record was committed.
    if (contest.stopping !== null && !isRunningHere(contest.stopping)) return undefined;
    const own = contest.active.filter(({ id }) => isRunningHere(id));
    // The others are about to start or have just ended.
    if (own.length < running.length || own.some(({ status }) => status !== 'running')) return undefined;
    const lower = own.filter(({ rank }) => rank < contest.rank);
    if (lower.length === 0 || (await isLeftToPeers(contest, own))) return undefined;
    // A job that cannot run needs no memory to fail.
    const bytes = (await readRequirement(waiting))?.bytes ?? 0;
    // Requests hold the memory, and get no more of it while the job is waiting.
    if (lacking === 'memory' && memory.fitsJobs(bytes)) return undefined;
    const victim = lower.find((job) => memory.fitsJobs(bytes - reservedBytes(job, running)));
    if (victim === undefined) return undefined;
    return (await jobs.recordPreemption(contest, victim)) ? victim.id : undefined;
  };
}

const reservedBytes = ({ id }: ActiveJob, running: readonly LocalRun[]) =>
  running.find((job) => job.id === id)!.bytes;
