/** Mocked timers, also for modules that import `setTimeout` of node:timers/promises by its name. */
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

/** Time passes by `t.mock.timers.tick` until the test ends. */
export function mockWaits(t: TestContext): void {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
}
