/** Layers are linear in each parameter: the change of the output by a change of one parameter is exact. */
import { test } from 'node:test';
import { randomBits } from '../../../../src/numerics/random.ts';
import { createConvolution } from '../../../../src/numerics/reference/layers/convolution.ts';
import { createGroupNorm } from '../../../../src/numerics/reference/layers/group-norm.ts';
import type {
  BlockViews,
  ReferenceLayer,
  Values,
} from '../../../../src/numerics/reference/layers/interface.ts';
import { assertNear } from '../../fixtures.ts';

const INPUT = { height: 4, width: 5, channels: 4 };
const OUTPUTS = 3;

const numbers = (length: number, seed: number) =>
  Float64Array.from({ length }, (_, i) => randomBits(seed, 0, 92, i) / 2 ** 31 - 1);

const views = (length: number, seed: number): BlockViews => ({
  values: numbers(length, seed),
  gradient: null,
});

const LAYERS: [string, BlockViews[], (below: Values, blocks: BlockViews[]) => ReferenceLayer][] = [
  [
    'convolution',
    [views(OUTPUTS * INPUT.channels * 9, 1), views(OUTPUTS, 2)],
    (below, [K, c]) => createConvolution(below, INPUT, OUTPUTS, K!, c!),
  ],
  [
    'group norm',
    [views(INPUT.channels, 3), views(INPUT.channels, 4)],
    (below, [gamma, beta]) => createGroupNorm(below, INPUT, gamma!, beta!),
  ],
];

for (const [name, blocks, create] of LAYERS) {
  test(`a change of each parameter of a ${name} changes the output as a new forward pass does`, () => {
    const below = { output: numbers(80, 5), dOutput: new Float64Array(80) };
    const layer = create(below, blocks);
    for (const [b, { values }] of blocks.entries()) {
      for (let i = 0; i < values.length; i++) {
        layer.forward();
        layer.addChange!(b, i, 0.3);
        const changed = layer.output.slice();
        const original = values[i]!;
        values[i] = original + 0.3;
        layer.forward();
        values[i] = original;
        assertNear(changed, layer.output, 1e-15, `parameter ${i} of block ${b}`);
      }
    }
  });
}
