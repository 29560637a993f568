/** Compares wide vectors with narrow ones in two processes, because an experimental flag may crash a process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const ENTRY = fileURLToPath(new URL('./vector-battery.ts', import.meta.url));

/** Both processes take 3 to 4 s on two processors, and longer beside other work. */
const TIMEOUT_MS = 20_000;
/** Without 256-bit vectors in the processor, V8 does not join vectors, and both take the same time. */
const FASTER = 0.95;

const measuredSchema = z.object({
  digest: z.string(),
  /** The time of a step, as a part of the time with narrow vectors: 1 in the process with these. */
  fraction: z.number(),
});

export const comparisonSchema = z.object({
  outcome: z.enum(['faster', 'not-faster', 'different', 'crashed', 'not-compared']),
  /** Why vectors stay narrow, or how much faster wide ones are. */
  detail: z.string(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export type Vectors = 'narrow' | 'wide';
/** A program with its arguments; it prints a digest, and how the times compare. */
export type BatteryCommand = (vectors: Vectors) => readonly [program: string, ...args: string[]];

const runEntry: BatteryCommand = (vectors) => [process.execPath, ENTRY, vectors];

type Ran =
  | z.infer<typeof measuredSchema>
  /** `own` is whether the process ended without being killed. */
  | { readonly failure: string; readonly own: boolean };

/**
 * Runs the battery with both kinds of vectors, at the same time. The service computes with exactly the code that was
 * compared: with the flags of wide vectors, only the optimizing compiler runs, and only once.
 * @param command for tests
 */
export async function compareVectors(command = runEntry, timeoutMs = TIMEOUT_MS): Promise<Comparison> {
  const [narrow, wide] = await Promise.all([
    runBattery(command('narrow'), timeoutMs),
    runBattery(command('wide'), timeoutMs),
  ]);
  if ('failure' in narrow) return { outcome: 'not-compared', detail: `narrow vectors: ${narrow.failure}` };
  if ('failure' in wide) {
    return { outcome: wide.own ? 'crashed' : 'not-compared', detail: `wide vectors: ${wide.failure}` };
  }
  if (wide.digest !== narrow.digest) {
    return { outcome: 'different', detail: `digest ${wide.digest} instead of ${narrow.digest}` };
  }
  const detail = `a step takes ${Math.round(100 * wide.fraction)} % of the time`;
  return { outcome: wide.fraction < FASTER ? 'faster' : 'not-faster', detail };
}

function runBattery([program, ...args]: ReturnType<BatteryCommand>, timeout: number): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  const child = execFile(program, args, { timeout, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
    process.off('exit', kill);
    if (!error) return resolve(parse(stdout));
    const { code, signal, killed } = error;
    if (killed) return resolve({ failure: `no result within ${timeout} ms`, own: false });
    const ending = signal ? `ended by ${signal}` : `ended with ${code}`;
    const reason = /^\w*Error: .*$/m.exec(stderr)?.[0];
    resolve({
      failure: reason === undefined ? ending : `${ending}, ${reason}`,
      own: !OUTSIDE.includes(signal ?? '') && typeof code !== 'string',
    });
  });
  const kill = () => child.kill('SIGKILL');
  // If the service is stopped during the comparison, it leaves no children behind.
  process.on('exit', kill);
  return promise;
}

/** Signals of the system or an operator: for lack of memory, or at a shutdown. */
const OUTSIDE: readonly string[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];

function parse(stdout: string): Ran {
  try {
    return measuredSchema.parse(JSON.parse(stdout));
  } catch {
    return { failure: 'unreadable output', own: true };
  }
}
