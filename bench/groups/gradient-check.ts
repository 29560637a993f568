/** Gradient check of all 31,810 coordinates of 784-40-10 on five images, compared with scipy. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { type DifferenceScheme, gradientCheck } from '../../src/numerics/checks/gradient.ts';
import { initializeUniformFanIn } from '../../src/numerics/network/initialize.ts';
import type { Examples } from '../../src/numerics/training/engine.ts';
import { dense } from '../../test/support/dense.ts';
import { median } from '../machine.ts';
import { python, pythonVersions, ROOT, runJson } from '../measure/command.ts';
import type { Report } from '../measure/report.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Contestant, type Effort, takeTurns } from '../measure/turns.ts';

/** `error` is the 2-norm of analytic − numeric. */
interface Check {
  readonly seconds: number;
  readonly error: number;
}

const ARCHITECTURE = dense([784, 40, 10]);
const INDICES = Uint32Array.of(0, 1, 2, 3, 4);
const SCIPY = { check_grad: 'scipy check_grad, forward', approx_fprime: 'scipy approx_fprime, forward' };

export async function gradientChecks(effort: Effort): Promise<Report> {
  const { train } = await loadFashionMnist(join(ROOT, 'data'));
  const parameters = initializeUniformFanIn(ARCHITECTURE, 1);
  const versions = await pythonVersions('scipy', 'numpy');
  const [scipy, numpy] = [versions.get('scipy'), versions.get('numpy')];
  const directory = mkdtempSync(join(tmpdir(), 'atelier-bench-'));
  try {
    const file = join(directory, 'parameters.f64');
    writeFileSync(file, parameters);
    const peers = Object.entries(SCIPY).map(([method, name]) => ({
      name,
      measure: () => runJson<Check>(python(1, 'peers/scipy_check.py', join(ROOT, 'data'), file, method)),
    }));
    const results = await takeTurns(
      [
        ...(scipy ? peers : []),
        atelier('Atelier, central', 'central', train, parameters),
        atelier('Atelier, forward', 'forward', train, parameters),
      ],
      effort.rounds,
    );
    const seconds = (name: string) => median((results.get(name) ?? []).map((check) => check.seconds));
    return {
      title: 'Gradient check',
      method:
        'Seconds for all 31,810 coordinates of 784-40-10 on the first five training images, float64, the same parameters; ' +
        `one thread, median of ${effort.rounds} turns after one to warm up. Central differences compute two losses per coordinate, ` +
        'forward differences one.',
      versions: scipy ? [`scipy ${scipy}`, `NumPy ${numpy}`] : [],
      skipped: scipy ? [] : Object.values(SCIPY).map((name) => `${name} (not installed)`),
      tables: [
        {
          heading: '31,810 coordinates',
          columns: ['who', 'seconds', 'smallest – largest', '‖analytic − numeric‖'],
          rows: Array.from(results, ([name, turns]) => [
            name,
            ...spread(turns.map((check) => check.seconds)),
            readable(turns[0]!.error),
          ]),
        },
      ],
      goals: [
        {
          what: 'scipy check_grad ÷ Atelier, central',
          measured: scipy ? seconds(SCIPY.check_grad) / seconds('Atelier, central') : undefined,
          atLeast: 25,
        },
      ],
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function atelier(
  name: string,
  scheme: DifferenceScheme,
  examples: Examples,
  parameters: Float64Array,
): Contestant<Check> {
  const plan = {
    architecture: ARCHITECTURE,
    activation: 'relu',
    standardization: null,
    parameters,
    examples,
    indices: INDICES,
    scheme,
    coordinates: 'all',
    seed: 0,
  } as const;
  const measure = async () => {
    const startedAt = performance.now();
    const check = gradientCheck(plan);
    for (;;) {
      const { done, value } = check.next();
      if (done) return { seconds: (performance.now() - startedAt) / 1000, error: value.error };
    }
  };
  return {
    name,
    async measure() {
      await measure(); // warms up the compiler
      return measure();
    },
  };
}
