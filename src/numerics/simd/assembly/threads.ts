/**
 * How the threads of a job share a step. A step is a few phases, a phase a number of items that do not depend on each
 * other; a thread takes the next item, and who finishes a phase's last one opens the next phase. So nobody waits for a
 * thread that the operating system has put aside before it took something, and who does what changes no result.
 *
 * CLAIM is sequence · 2¹⁸ + phase · 2¹⁶ + next item; item CLOSED means that the step is over. An item is taken by compare and
 * exchange on the whole word, so one of an earlier phase can never be; DONE counts the phase's finished items.
 */
import { CLAIM, DONE, ITEMS, SLEEPERS } from '../addresses.ts';

/** Some 20 µs of looking: the wait is usually shorter than the way through the operating system. */
const LOOKS = 20000;

@inline export function itemOf(claim: i32): i32 { return claim & 0xffff; }

@inline export function phaseOf(claim: i32): i32 { return (claim >>> 16) & 3; }

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
export function open(phase: i32, item: i32): void {
  const sequence = atomic.load<i32>(CLAIM) >>> 18;
  atomic.store<i32>(DONE, 0);
  atomic.store<i32>(CLAIM, ((sequence + 1) << 18) | (phase << 16) | item);
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(CLAIM, -1);
}

/** Whether the item is now the caller's. */
@inline export function take(claim: i32): bool {
  return atomic.cmpxchg<i32>(CLAIM, claim, claim + 1) == claim;
}

/** Whether the finished item was the phase's last. */
@inline export function finish(phase: i32): bool {
  return atomic.add<i32>(DONE, 1) == itemsOf(phase) - 1;
}
