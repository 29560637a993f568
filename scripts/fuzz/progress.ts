/** Progress of a fuzzing process, in a file, so that it can be read when the process hangs or has ended. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const CELLS = ['at', 'values', 'refusals', 'failures', 'slowestMs', 'peakBytes'] as const;
export type Progress = Record<(typeof CELLS)[number], number>;

/** `at` is the number of the current input; −1 before the first. */
export const NOTHING: Progress = { at: -1, values: 0, refusals: 0, failures: 0, slowestMs: 0, peakBytes: 0 };

export function openProgress(file: string): {
  read(): Progress;
  write(progress: Progress): void;
  close(): void;
} {
  const handle = openSync(file, 'a+');
  closeSync(handle);
  const descriptor = openSync(file, 'r+');
  const cells = new Float64Array(CELLS.length);
  return {
    read() {
      const length = readSync(descriptor, cells, 0, cells.byteLength, 0);
      if (length < cells.byteLength) return NOTHING;
      return Object.fromEntries(CELLS.map((cell, n) => [cell, cells[n]])) as Progress;
    },
    write(progress) {
      for (const [n, cell] of CELLS.entries()) cells[n] = progress[cell];
      writeSync(descriptor, cells, 0, cells.byteLength, 0);
    },
    close: () => closeSync(descriptor),
  };
}
