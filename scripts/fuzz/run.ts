/** Runs and monitors a fuzzing process. After a crash, hang or memory overrun, a new process continues. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { OUT_OF_MEMORY, PROGRESS_FILE } from './child.ts';
import { type Failure, savedFailures, saveFailure } from './failures.ts';
import { createInput, type Parsers } from './input.ts';
import { NOTHING, openProgress, type Progress } from './progress.ts';

export interface Findings extends Omit<Progress, 'at' | 'failures'> {
  readonly inputs: number;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

const CHILD = new URL('./child.ts', import.meta.url);
const LOOK_EVERY_MS = 100;
/** Starting a service and training its first model takes seconds, or more on a busy machine. */
const STARTS_WITHIN_MS = 300_000;
/** After this many crashes, probably every input fails. */
const MOST_CRASHES = 20;

/**
 * @param module module whose export `all` has the parser `name`
 * @param options.memoryBytes memory limit of the process
 * @param options.folder folder for failing inputs
 */
export async function fuzz(
  module: URL,
  name: string,
  options: { seed: number; inputs: number; hangsAfterMs: number; memoryBytes: number; folder: string },
): Promise<Findings> {
  const { seed, inputs, hangsAfterMs, memoryBytes } = options;
  const { all } = (await import(module.href)) as { all: Parsers };
  const folder = join(options.folder, name.replaceAll(' ', '-'));
  mkdirSync(folder, { recursive: true });
  const progress = openProgress(join(folder, PROGRESS_FILE));
  const total = { values: 0, refusals: 0, slowestMs: 0, peakBytes: 0 };
  const startedAt = performance.now();

  for (let [from, crashes] = [0, 0]; from < inputs; crashes++) {
    progress.write(NOTHING);
    const args = [module.href, name, seed, from, inputs, folder, memoryBytes].map(String);
    const child = fork(CHILD, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
    const hung = await untilIdle(() => progress.read().at, child, hangsAfterMs);
    if (hung) child.kill('SIGKILL');
    const [code, signal] = await exit;
    const { at, values, refusals, slowestMs, peakBytes } = progress.read();
    total.values += values;
    total.refusals += refusals;
    total.slowestMs = Math.max(total.slowestMs, slowestMs);
    total.peakBytes = Math.max(total.peakBytes, peakBytes);
    if (code === 0 && at === inputs) break;
    if (at < 0 || crashes === MOST_CRASHES)
      throw new Error(`${name}: the process ended with ${code ?? signal}.`);
    const what = hung ? `hung for ${hangsAfterMs} ms` : describe(code, signal, peakBytes);
    saveFailure(folder, { name, index: at, what }, createInput(await all[name]!(), name, seed, at).bytes);
    from = at + 1;
  }
  progress.close();
  const seconds = (performance.now() - startedAt) / 1000;
  return { inputs, failures: savedFailures(folder), seconds, ...total };
}

/** False as soon as the process has ended. */
async function untilIdle(
  at: () => number,
  child: { readonly exitCode: number | null; readonly signalCode: string | null },
  hangsAfterMs: number,
): Promise<boolean> {
  let [last, since] = [at(), performance.now()];
  while (child.exitCode === null && child.signalCode === null) {
    const [now, time] = [at(), performance.now()];
    if (now !== last) [last, since] = [now, time];
    else if (time - since > (now < 0 ? STARTS_WITHIN_MS : hangsAfterMs)) return true;
    await setTimeout(LOOK_EVERY_MS);
  }
  return false;
}

function describe(code: number | null, signal: string | null, peakBytes: number): string {
  if (code === OUT_OF_MEMORY) return `took ${Math.round(peakBytes / 2 ** 20)} MiB`;
  return `ended the process with ${code ?? signal}`;
}
