/** A kernel engine that also evaluates with the kernel, much faster than the reference. */

import type { Parameters as Packed } from '../network/layers.ts';
import type { Engine, EngineSettings } from '../training/engine.ts';
import { createKernelEngine, type KernelEngine, type KernelOptions } from './kernel-engine.ts';
import { createKernelForward } from './kernel-forward.ts';

export type EvaluatingEngine = KernelEngine & Required<Pick<Engine, 'evaluate' | 'inspect'>>;

/** @throws RangeError in the same cases as `createKernelEngine` */
export function createEvaluatingEngine(
  module: WebAssembly.Module,
  settings: EngineSettings,
  initial: Packed,
  options: KernelOptions = {},
): EvaluatingEngine {
  const { architecture, activation, standardization } = settings;
  const engine = createKernelEngine(module, settings, initial, options);
  const forward = createKernelForward(module, architecture, activation, initial, standardization, options);
  const { step, importState } = engine;
  let isStale = true;

  function refresh(): void {
    if (isStale) forward.load(engine.parameters);
    isStale = false;
  }

  return Object.assign(engine, {
    step(...args: Parameters<typeof step>) {
      isStale = true;
      step(...args);
    },
    importState(...args: Parameters<typeof importState>) {
      isStale = true;
      importState(...args);
    },
    evaluate(...[sums, examples, indices]: Parameters<EvaluatingEngine['evaluate']>) {
      refresh();
      forward.evaluate(sums, examples, indices);
    },
    inspect(...[findings, examples, indices]: Parameters<EvaluatingEngine['inspect']>) {
      refresh();
      forward.inspect(findings, examples, indices);
    },
  });
}
