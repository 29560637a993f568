/**
 * How the threads of a job share a step. A step is a few phases, a phase a number of items that do not depend on each
 * other. Item i is meant for thread i mod n, in whose cache its weights are from the step before; a thread that has finished its
 * own takes from the others. So nobody waits for a thread that the operating system has put aside before it took something,
 * and who does what changes no result. Who finishes a phase's last item opens the next phase.
 *
 * PHASE is sequence · 8 + phase, + STEP_ENDED when the step is over. NEXT_ITEM has a word a thread: sequence · 2¹⁶ + its next item; an
 * item is taken by compare and exchange on the whole word, so one of an earlier phase can never be. DONE counts the
 * phase's finished items.
 */
import { STEP_ENDED } from '../constants.ts';
import { DONE, ITEM_COUNTS, NEXT_ITEM, PHASE, THREADS, WAITERS } from './addresses.ts';

/** Some 20 µs of looking: the wait is usually shorter than the way through the operating system. */
const SPINS = 20000;

@inline export function phaseNumber(phaseWord: i32): i32 { return phaseWord & 3; }

@inline export function hasStepEnded(phaseWord: i32): bool { return (phaseWord & STEP_ENDED) != 0; }

/** How many items the phase has; changes only between steps. */
@inline export function itemCount(phase: i32): i32 { return load<i32>(ITEM_COUNTS + (<usize>phase << 2)); }

/**
 * Returns soon after PHASE is no longer `claim`. With sequentially consistent atomics either who changes it sees the sleeper and
 * wakes it, or the sleeper's wait sees the change.
 */
export function awaitPhaseChange(phaseWord: i32): void {
  for (let spin = 0; spin < SPINS; spin++) if (atomic.load<i32>(PHASE) != phaseWord) return;
  atomic.add<i32>(WAITERS, 1);
  while (atomic.load<i32>(PHASE) == phaseWord) atomic.wait<i32>(PHASE, phaseWord, -1);
  atomic.sub<i32>(WAITERS, 1);
}

/** Only by who finished the phase before, or, between steps, by the caller. Nothing of the phase may be touched after it. */
export function beginPhase(phase: i32): void {
  const sequence = (atomic.load<i32>(PHASE) >>> 3) + 1;
  const threads = load<i32>(THREADS);
  atomic.store<i32>(DONE, 0);
  for (let owner = 0; owner < threads; owner++) {
    atomic.store<i32>(NEXT_ITEM + (<usize>owner << 6), (sequence << 16) | owner);
  }
  atomic.store<i32>(PHASE, (sequence << 3) | phase);
  if (atomic.load<i32>(WAITERS) != 0) atomic.notify(PHASE, -1);
}

/** Ends a step, or wakes everyone between steps. */
export function endStep(): void {
  atomic.store<i32>(PHASE, (((atomic.load<i32>(PHASE) >>> 3) + 1) << 3) | STEP_ENDED);
  if (atomic.load<i32>(WAITERS) != 0) atomic.notify(PHASE, -1);
}

/** An item of the phase that is now the caller's, or −1 when there is none left. */
export function claimItem(phaseWord: i32, rank: i32): i32 {
  const items = itemCount(phaseNumber(phaseWord));
  const threads = load<i32>(THREADS);
  const sequence = (phaseWord >>> 3) & 0xffff;
  for (let k = 0; k < threads; k++) {
    const word = NEXT_ITEM + (<usize>((rank + k) % threads) << 6);
    while (true) {
      const next = atomic.load<i32>(word);
      if (next >>> 16 != sequence) return -1;
      const item = next & 0xffff;
      if (item >= items) break;
      if (atomic.cmpxchg<i32>(word, next, next + threads) == next) return item;
    }
  }
  return -1;
}

/** Whether the finished item was the phase's last. */
@inline export function finishItem(phase: i32): bool {
  return atomic.add<i32>(DONE, 1) == itemCount(phase) - 1;
}
