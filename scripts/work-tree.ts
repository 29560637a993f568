/** Git work trees of the last commit, which share the dependencies and the data set of this checkout. */
import { execFileSync } from 'node:child_process';
import { globSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

export function addWorkTree(folder: string): void {
  execFileSync('git', ['worktree', 'add', '--quiet', '--detach', folder]);
  const shared = ['node_modules', ...globSync('data/*.npy')];
  for (const path of shared) symlinkSync(resolve(path), join(folder, path));
}

export function removeWorkTree(folder: string): void {
  execFileSync('git', ['worktree', 'remove', '--force', folder]);
}
