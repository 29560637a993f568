/**
 * How the threads of a job share a step. A step is a few phases, a phase a number of items that do not depend on each
 * other. Item i is meant for thread i mod n, in whose cache its weights are from the step before; a thread that has finished its
 * own takes from the others. So nobody waits for a thread that the operating system has put aside before it took something,
 * and who does what changes no result. Who finishes a phase's last item opens the next phase.
 *
 * CLAIM is sequence · 8 + phase, + CLOSED when the step is over. TURNS has a word a thread: sequence · 2¹⁶ + its next item; an
 * item is taken by compare and exchange on the whole word, so one of an earlier phase can never be. DONE counts the
 * phase's finished items.
 */
import { CLAIM, CLOSED, DONE, ITEMS, SLEEPERS, THREADS, TURNS } from '../addresses.ts';

/** Some 20 µs of looking: the wait is usually shorter than the way through the operating system. */
const LOOKS = 20000;

@inline export function phaseOf(claim: i32): i32 { return claim & 3; }

@inline export function isClosed(claim: i32): bool { return (claim & CLOSED) != 0; }

/** How many items the phase has; changes only between steps. */
@inline export function itemsOf(phase: i32): i32 { return load<i32>(ITEMS + (<usize>phase << 2)); }

/**
 * Returns soon after CLAIM is no longer `claim`. With sequentially consistent atomics either who changes it sees the sleeper and
 * wakes it, or the sleeper's wait sees the change.
 */
export function awaitChange(claim: i32): void {
  for (let look = 0; look < LOOKS; look++) if (atomic.load<i32>(CLAIM) != claim) return;
  atomic.add<i32>(SLEEPERS, 1);
  while (atomic.load<i32>(CLAIM) == claim) atomic.wait<i32>(CLAIM, claim, -1);
  atomic.sub<i32>(SLEEPERS, 1);
}

/** Only by who finished the phase before, or, between steps, by the caller. Nothing of the phase may be touched after it. */
export function open(phase: i32): void {
  const sequence = (atomic.load<i32>(CLAIM) >>> 3) + 1;
  const threads = load<i32>(THREADS);
  atomic.store<i32>(DONE, 0);
  for (let owner = 0; owner < threads; owner++) {
    atomic.store<i32>(TURNS + (<usize>owner << 6), (sequence << 16) | owner);
  }
  atomic.store<i32>(CLAIM, (sequence << 3) | phase);
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(CLAIM, -1);
}

/** Ends a step, or wakes everyone between steps. */
export function close(): void {
  atomic.store<i32>(CLAIM, (((atomic.load<i32>(CLAIM) >>> 3) + 1) << 3) | CLOSED);
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(CLAIM, -1);
}

/** An item of the phase that is now the caller's, or −1 when there is none left. */
export function take(claim: i32, rank: i32): i32 {
  const items = itemsOf(phaseOf(claim));
  const threads = load<i32>(THREADS);
  const sequence = (claim >>> 3) & 0xffff;
  for (let k = 0; k < threads; k++) {
    const word = TURNS + (<usize>((rank + k) % threads) << 6);
    while (true) {
      const turn = atomic.load<i32>(word);
      if (turn >>> 16 != sequence) return -1;
      const item = turn & 0xffff;
      if (item >= items) break;
      if (atomic.cmpxchg<i32>(word, turn, turn + threads) == turn) return item;
    }
  }
  return -1;
}

/** Whether the finished item was the phase's last. */
@inline export function finish(phase: i32): bool {
  return atomic.add<i32>(DONE, 1) == itemsOf(phase) - 1;
}
