/** Commands of a release. */
import { execFileSync, spawnSync } from 'node:child_process';

/** Runs a command and shows its output. @throws Error if it fails */
export function run(folder: string, command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} failed.`);
}

/** @returns the output of a command, without white space around it. @throws Error if it fails */
export function output(folder: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 }).trim();
}
