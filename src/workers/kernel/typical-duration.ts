/** Typical duration of a function call on a machine that also does other work. */

/** Fewer calls may all be interrupted. */
const MIN_CALLS = 3;
/** Longest time of the processor for few calls, as a multiple of the usual one. */
const MAX_PATIENCE = 3;
/** Longest time for enough calls on a busy machine, as a multiple of the time of the processor. */
const MAX_WAIT = 10;
/** Some systems count the time of the processor in steps of 10 ms. */
const CPU_TICK_MS = 10;

/**
 * Typical duration of a call, as if no other work interrupted it: the lower quartile for short calls; for long ones, most of
 * which are interrupted on a busy machine, at most the mean time of the processor.
 * @param durationMs time of the processor after which enough calls suffice
 */
export function typicalMs(call: () => void, durationMs: number, minCalls = MIN_CALLS): number {
  const durations: number[] = [];
  const [startedAt, before] = [performance.now(), process.threadCpuUsage()];
  for (let last = startedAt; ; ) {
    call();
    const now = performance.now();
    durations.push(now - last);
    const { user, system } = process.threadCpuUsage(before);
    const cpuMs = (user + system) / 1000;
    const isLate = now - startedAt >= MAX_WAIT * durationMs;
    const hasEnough = durations.length >= minCalls && (cpuMs >= durationMs || isLate);
    if (hasEnough || cpuMs >= MAX_PATIENCE * durationMs) {
      const quartile = durations.toSorted((a, b) => a - b)[Math.floor(durations.length / 4)]!;
      return Math.min(quartile, (cpuMs + CPU_TICK_MS) / durations.length);
    }
    last = performance.now();
  }
}
