/** Forward pass of one image in the process, without HTTP. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadFashionMnist } from '../../src/datasets/fashion-mnist.ts';
import { createForward } from '../../src/numerics/network/forward.ts';
import { createKernelForward } from '../../src/numerics/simd/kernel-forward.ts';
import { vectorOptions, widenVectors } from '../../src/tuning/wide-vectors.ts';
import { dense } from '../../test/support/dense.ts';
import { median } from '../machine.ts';
import { ROOT } from '../measure/command.ts';
import type { Table } from '../measure/report.ts';
import { spread } from '../measure/statistics.ts';
import { type Effort, takeTurns } from '../measure/turns.ts';

const LAYER_SIZES = [784, 40, 10];
const KERNEL = 'kernel, wide vectors, float32';

/** @param file the packed vector, float32 */
export async function forwardMicroseconds(
  file: string,
  effort: Effort,
): Promise<{ readonly table: Table; readonly kernel: number }> {
  const { pixels, labels } = (await loadFashionMnist(join(ROOT, 'data'))).test;
  const parameters = new Float32Array(new Uint8Array(readFileSync(file)).buffer);
  // As the service does by default. V8 reads its flags when the kernel is compiled.
  widenVectors();
  const module = new WebAssembly.Module(readFileSync(join(ROOT, 'src/numerics/simd/kernel.wasm')));
  const kernel = createKernelForward(module, dense(LAYER_SIZES), 'relu', parameters, null, vectorOptions());
  const reference = createForward(
    { architecture: dense(LAYER_SIZES), activation: 'relu', standardization: null },
    Float64Array.from(parameters),
  );
  const images = Array.from(labels, (_, n) => pixels.subarray(n * 784, (n + 1) * 784));

  function contestant<P>(name: string, outputs: [P, P], forward: (z: P, p: P, image: Uint8Array) => void) {
    const all = () => {
      const startedAt = performance.now();
      for (const image of images) forward(...outputs, image);
      return (1000 * (performance.now() - startedAt)) / images.length;
    };
    all(); // warms up the compiler
    return { name, measure: async () => all() };
  }
  const results = await takeTurns(
    [
      contestant('reference, float64', [new Float64Array(10), new Float64Array(10)], reference),
      contestant(KERNEL, [new Float32Array(10), new Float32Array(10)], kernel.forward),
    ],
    effort.rounds,
  );
  return {
    table: {
      heading: 'Forward pass of one image, in the process: each of the 10,000 test images alone',
      columns: ['engine', 'µs', 'smallest – largest'],
      rows: Array.from(results, ([name, values]) => [name, ...spread(values)]),
    },
    kernel: median(results.get(KERNEL)!),
  };
}
