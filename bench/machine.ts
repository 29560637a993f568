/** Description of the machine, and the median. */
import { cpus, totalmem } from 'node:os';

export function describeMachine(): string {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${model.trim()}, ${gibibytes} GiB, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
