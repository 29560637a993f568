/**
 * Scheduling of a step's work among threads.
 * A step consists of phases, and a phase of items that are independent of each other. Item i belongs to thread i mod
 * n: its cache holds the weights from the previous step. A thread that has finished its own items claims items of
 * others. A descheduled thread therefore delays the others only by the item it has claimed. Results do not depend on
 * which thread computes an item. The thread that finishes the last item of a phase begins the next phase.
 *
 * PHASE is sequence · 8 + phase, + STEP_ENDED when the step is over. NEXT_ITEM has a word per thread, 64 bytes apart:
 * sequence · 2¹⁶ + its next item. Items are claimed by compare-and-exchange on the whole word, so an item of an earlier
 * phase can never be claimed. DONE counts the finished items of the phase.
 */
import { STEP_ENDED } from '../constants.ts';
import { DONE, ITEM_COUNTS, NEXT_ITEM, PHASE, THREADS, WAITERS } from './addresses.ts';

/** About 20 µs of spinning: waits are usually shorter than a system call. */
const SPINS = 20000;

@inline export function phaseNumber(phaseWord: i32): i32 { return phaseWord & 3; }

@inline export function hasStepEnded(phaseWord: i32): bool { return (phaseWord & STEP_ENDED) != 0; }

/** Number of items of the phase; changes only between steps. */
@inline export function itemCount(phase: i32): i32 { return load<i32>(ITEM_COUNTS + (<usize>phase << 2)); }

/**
 * Returns soon after PHASE differs from `phaseWord`. Atomics are sequentially consistent: either the writer of PHASE sees
 * the waiter and wakes it, or the waiter sees the new value.
 */
export function awaitPhaseChange(phaseWord: i32): void {
  for (let spin = 0; spin < SPINS; spin++) if (atomic.load<i32>(PHASE) != phaseWord) return;
  atomic.add<i32>(WAITERS, 1);
  while (atomic.load<i32>(PHASE) == phaseWord) atomic.wait<i32>(PHASE, phaseWord, -1);
  atomic.sub<i32>(WAITERS, 1);
}

/**
 * Called only by the thread that finished the previous phase, or by rank 0 between steps. The caller must not access
 * the previous phase afterwards.
 */
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

/** Ends a step, or wakes all threads between steps. */
export function endStep(): void {
  atomic.store<i32>(PHASE, (((atomic.load<i32>(PHASE) >>> 3) + 1) << 3) | STEP_ENDED);
  if (atomic.load<i32>(WAITERS) != 0) atomic.notify(PHASE, -1);
}

/** Claims an item of the phase; −1 if none is left. */
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

/** Counts a finished item. Returns whether it was the last of the phase. */
@inline export function finishItem(phase: i32): bool {
  return atomic.add<i32>(DONE, 1) == itemCount(phase) - 1;
}
