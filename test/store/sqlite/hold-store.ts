/** A child process that holds a store open. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Holder {
  readonly child: ChildProcess;
  /** Kills the process and waits for its end. */
  kill(): Promise<void>;
}

/** Resolves when the store is open. The process is killed at the end of the test. */
export async function holdStore(t: TestContext, directory: string): Promise<Holder> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'children/holding.ts'), directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return {
    child,
    async kill() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
