/** Mocks of built-in modules that also apply to modules that import the functions by their names. */
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

/** Call it after `t.mock.method` of the default export of a built-in module. The mocks apply until the test ends. */
export function applyMocks(t: TestContext): void {
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}

/** Time passes by `t.mock.timers.tick` until the test ends, also for `setTimeout` of node:timers/promises. */
export function mockWaits(t: TestContext): void {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  applyMocks(t);
}
