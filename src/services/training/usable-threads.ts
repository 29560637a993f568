/** The number of threads that a training uses on this machine. */
import { availableParallelism } from 'node:os';

/** Threads of a training on this machine: more threads than cores would wait for each other, with the same result. */
export function usableThreads(threads: number): number {
  return Math.min(threads, availableParallelism());
}
