/**
 * How the threads of a job meet. The last to arrive opens the next generation; the others look for a while, because
 * the wait is usually shorter than the way through the operating system, then sleep. Who opens wakes only when someone sleeps:
 * with sequentially consistent atomics either it sees the sleeper, or the sleeper's wait sees the new generation.
 */
import { ARRIVED, GENERATION, SLEEPERS, THREADS } from '../addresses.ts';

/** Some 20 µs of looking. */
const LOOKS = 20000;

/** Returns once the word at `address` is no longer `value`. */
function awaitChange(address: usize, value: i32): void {
  for (let look = 0; look < LOOKS; look++) if (atomic.load<i32>(address) != value) return;
  atomic.add<i32>(SLEEPERS, 1);
  while (atomic.load<i32>(address) == value) atomic.wait<i32>(address, value, -1);
  atomic.sub<i32>(SLEEPERS, 1);
}

function wake(address: usize): void {
  if (atomic.load<i32>(SLEEPERS) != 0) atomic.notify(address, -1);
}

export function open(): void {
  atomic.store<i32>(ARRIVED, 0);
  atomic.add<i32>(GENERATION, 1);
  wake(GENERATION);
}

/** Everyone waits for everyone. */
export function meet(): void {
  const threads = load<i32>(THREADS);
  if (threads == 1) return;
  const generation = atomic.load<i32>(GENERATION);
  if (atomic.add<i32>(ARRIVED, 1) == threads - 1) open();
  else awaitChange(GENERATION, generation);
}

/** A further thread is done, and waits until the caller's next task. */
export function awaitTask(): void {
  const generation = atomic.load<i32>(GENERATION);
  atomic.add<i32>(ARRIVED, 1);
  wake(ARRIVED);
  awaitChange(GENERATION, generation);
}

/** The caller waits until all further threads await their task. */
export function awaitOthers(): void {
  const others = load<i32>(THREADS) - 1;
  while (true) {
    const arrived = atomic.load<i32>(ARRIVED);
    if (arrived == others) return;
    awaitChange(ARRIVED, arrived);
  }
}
