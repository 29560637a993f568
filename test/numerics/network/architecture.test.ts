import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Architecture,
  architectureText,
  blocks,
  forwardCost,
  fullyConnected,
  layerSizes,
  parameterCount,
  plan,
} from '../../../src/numerics/network/architecture.ts';

const SMALL: Architecture = {
  inputShape: [28, 28],
  convolutions: [[16], [32]],
  norm: 'none',
  hidden: [128],
  classes: 10,
};
const ODD: Architecture = {
  inputShape: [21, 44, 3],
  convolutions: [[8, 4], [12]],
  norm: 'group',
  hidden: [],
  classes: 3,
};

test('fully connected layers have the blocks W1, b1, W2, … and no convolutions', () => {
  const architecture = fullyConnected([28, 28], [40, 10]);
  assert.equal(parameterCount(architecture), 31_810);
  assert.equal(forwardCost(architecture), 31_760);
  assert.deepEqual(layerSizes(architecture), [784, 40, 10]);
  assert.equal(architectureText(architecture), '784-40-10');
  assert.deepEqual(blocks(architecture), [
    { name: 'W1', shape: [40, 784], start: 0, end: 31_360 },
    { name: 'b1', shape: [40], start: 31_360, end: 31_400 },
    { name: 'W2', shape: [10, 40], start: 31_400, end: 31_800 },
    { name: 'b2', shape: [10], start: 31_800, end: 31_810 },
  ]);
});

test('parameters and multiply-adds of convolutions equal those of PyTorch and of the definition', () => {
  // sum(p.numel() for p in the model of Conv2d(1, 16, 3), Conv2d(16, 32, 3), Linear(1568, 128), Linear(128, 10))
  assert.equal(parameterCount(SMALL), 206_922);
  const [first, second, dense, output] = [28 * 28 * 16 * 9, 14 * 14 * 32 * 16 * 9, 1568 * 128, 1280];
  assert.equal(forwardCost(SMALL), first! + second! + dense! + output!);
  assert.deepEqual(layerSizes(SMALL), [784, 14 * 14 * 16, 7 * 7 * 32, 128, 10]);
  assert.equal(architectureText(SMALL), '28×28-(16)-(32)-128-10');
});

test('blocks follow each other in the order of the layers, with scales after each convolution', () => {
  const found = blocks(ODD);
  assert.deepEqual(
    found.map(({ name, shape }) => `${name} ${shape.join('×')}`),
    ['K1 8×3×3×3', 'c1 8', 'gamma1 8', 'beta1 8', 'K2 4×8×3×3', 'c2 4', 'gamma2 4', 'beta2 4'].concat(
      ['K3 12×4×3×3', 'c3 12', 'gamma3 12', 'beta3 12'],
      [`W1 3×${5 * 11 * 12}`, 'b1 3'],
    ),
  );
  let end = 0;
  for (const block of found) {
    assert.equal(block.start, end);
    end = block.end;
    assert.equal(
      block.end - block.start,
      block.shape.reduce((product, size) => product * size, 1),
    );
  }
  assert.equal(end, parameterCount(ODD));
});

test('pooling halves height and width, and drops an odd last row or column', () => {
  const { layers } = plan(ODD);
  const pooled = layers.filter(({ type }) => type === 'maxPool').map(({ output }) => output);
  assert.deepEqual(pooled, [
    { height: 10, width: 22, channels: 4 },
    { height: 5, width: 11, channels: 12 },
  ]);
  assert.deepEqual(layerSizes(ODD), [21 * 44 * 3, 10 * 22 * 4, 5 * 11 * 12, 3]);
  for (const [l, { input }] of layers.entries()) {
    if (l > 0) assert.deepEqual(input, layers[l - 1]!.output);
  }
});
