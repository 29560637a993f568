import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npzBytes } from '../../../src/formats/arrays/npz.ts';
import { safetensorsBytes } from '../../../src/formats/arrays/safetensors.ts';
import type { Float32Tensor } from '../../../src/formats/arrays/tensor.ts';
import { type ImportHints, importModel } from '../../../src/formats/models/import.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { tensor } from '../fixtures.ts';

/** A state dict of 3×3 convolutions and one fully connected layer. */
function stateDict(channels: number[], values: number, first = 1): Float32Tensor[] {
  const convolutions = channels.flatMap((outputs, i) => [
    tensor(`features.${3 * i}.weight`, outputs, channels[i - 1] ?? first, 3, 3),
    tensor(`features.${3 * i}.bias`, outputs),
  ]);
  return [...convolutions, tensor('classifier.weight', 3, values), tensor('classifier.bias', 3)];
}

const stagesOf = (tensors: Float32Tensor[], hints: ImportHints) =>
  importModel(npzBytes(tensors), hints).architecture.convolutions;
const SHAPE = [28, 28] as const;

test('the inputs of the first fully connected layer determine the stages if only one grouping fits', () => {
  assert.deepEqual(stagesOf(stateDict([4, 6], 6 * 49), { inputShape: SHAPE }), [[4], [6]]);
  assert.deepEqual(stagesOf(stateDict([4, 6], 6 * 196), { inputShape: SHAPE }), [[4, 6]]);
  assert.deepEqual(stagesOf(stateDict([4, 4, 4], 4 * 196), { inputShape: SHAPE }), [[4, 4, 4]]);
  // Two stages of at most three convolutions each.
  assert.deepEqual(stagesOf(stateDict([4, 4, 4, 5, 5, 5], 5 * 49), { inputShape: SHAPE }), [
    [4, 4, 4],
    [5, 5, 5],
  ]);
  // Odd rows and columns are dropped: 13×11 → 6×5 → 3×2.
  assert.deepEqual(stagesOf(stateDict([4, 6], 36), { inputShape: [13, 11] }), [[4], [6]]);
});

test('the field convolutions decides between several groupings', () => {
  const tensors = stateDict([4, 4, 6, 6], 6 * 49);
  for (const convolutions of [
    [
      [4, 4],
      [6, 6],
    ],
    [[4], [4, 6, 6]],
  ])
    assert.deepEqual(stagesOf(tensors, { inputShape: SHAPE, convolutions }), convolutions);
  assert.throws(
    () => stagesOf(tensors, { inputShape: SHAPE }),
    isAtelierError(
      'invalid-model-file',
      /not determine after which 2 of its 4 convolutions .* send the field convolutions, such as \[\[4\],\[4,6,6\]\] or \[\[4,4\],\[6,6\]\]/,
      '#/convolutions',
    ),
  );
});

test('the pooling of a state dict is assumed, unless the request or the metadata states the stages', () => {
  const assumed = (file: Uint8Array, hints: ImportHints) =>
    importModel(file, { activation: 'relu', classNames: ['a', 'b', 'c'], standardization: null, ...hints })
      .assumed;
  const tensors = stateDict([4], 784);
  assert.deepEqual(assumed(npzBytes(tensors), { inputShape: SHAPE }), ['pooling']);
  assert.deepEqual(assumed(npzBytes(tensors), { inputShape: SHAPE, convolutions: [[4]] }), []);
  const own = [KERNEL, tensor('c1', 4), ...dense(784)];
  assert.deepEqual(assumed(npzBytes(own), { inputShape: SHAPE }), []);
  const fullyConnected = [tensor('0.weight', 3, 784), tensor('0.bias', 3)];
  assert.deepEqual(assumed(npzBytes(fullyConnected), {}), []);
});

test('more than three convolutions without pooling between them are rejected by the shape that says so', () => {
  for (const [channels, values, times] of [
    [[4, 4, 4, 4], 4 * 196, 'once'],
    [[4, 4, 4, 4, 4, 4, 4], 4 * 49, '2 times'],
  ] as const) {
    assert.throws(
      () => stagesOf(stateDict([...channels], values), { inputShape: SHAPE }),
      isAtelierError(
        'invalid-model-file',
        new RegExp(
          `shape \\(3, ${values}\\), so its ${channels.length} convolutions have 2×2 max pooling ${times}; it must follow at least every 3`,
        ),
      ),
    );
  }
});

const KERNEL = tensor('K1', 4, 1, 3, 3);
const [ODD, GAMMA] = [tensor('K1', 6, 1, 3, 3), tensor('gamma1', 4)];
const dense = (values: number) => [tensor('W1', 3, values), tensor('b1', 3)];

for (const [defect, tensors, hints, message, pointer] of [
  [
    'the shape of its images is unknown',
    stateDict([4], 784),
    {},
    /does not hold the shape of its images.*send the field inputShape, such as \[28, 28\]/,
    '#/inputShape',
  ],
  [
    'no grouping fits, as without padding',
    stateDict([4, 6], 6 * 25),
    { inputShape: SHAPE },
    /"classifier.weight" has shape \(3, 150\), but 2 convolutions of images of 28×28, 3×3 with stride 1 and padding 1, leave 6×14×14 = 1176 or 6×7×7 = 294 values, by the number of 2×2 max poolings/,
  ],
  [
    'the only convolution leaves other values',
    stateDict([4], 4 * 25),
    { inputShape: SHAPE },
    /but a convolution of images of 28×28, 3×3 with stride 1 and padding 1, leaves 4×14×14 = 784 values after 2×2 max pooling/,
  ],
  [
    'the field has other channels',
    stateDict([4, 6], 6 * 49),
    { inputShape: SHAPE, convolutions: [[4], [5]] },
    /its convolutions have 4, 6 channels, but the request or its metadata has \[\[4\],\[5\]\]/,
    '#/convolutions',
  ],
  [
    'the field has other stages than the inputs of the next layer',
    stateDict([4, 6], 6 * 49),
    { inputShape: SHAPE, convolutions: [[4, 6]] },
    /"classifier.weight" has shape \(3, 294\), but must have \(units, 1176\)/,
  ],
  [
    'the kernels are 5×5',
    [tensor('0.weight', 4, 1, 5, 5), tensor('4.weight', 3, 784)],
    { inputShape: SHAPE },
    /"0.weight" has shape \(4, 1, 5, 5\), but must have \(channels, 1, 3, 3\): a 3×3 convolution/,
  ],
  [
    'the convolution has groups',
    [tensor('0.weight', 4, 1, 3, 3), tensor('2.weight', 4, 1, 3, 3), tensor('4.weight', 3, 4 * 49)],
    { inputShape: SHAPE },
    /"2.weight" has shape \(4, 1, 3, 3\), but must have \(channels, 4, 3, 3\): .* without groups/,
  ],
  [
    'the images are grey, and the kernels are of colours',
    stateDict([4], 784, 3),
    { inputShape: SHAPE },
    /"features.0.weight" has shape \(4, 3, 3, 3\), but must have \(channels, 1, 3, 3\)/,
  ],
  ['there is no fully connected layer', [KERNEL, tensor('b1', 3)], { inputShape: SHAPE }, /"W1" is missing/],
  [
    'the biases are of another layer',
    [KERNEL, tensor('c1', 5), ...dense(784)],
    { inputShape: SHAPE },
    /"c1" has shape \(5,\), but must have \(4,\), since "K1" has \(4, 1, 3, 3\)/,
  ],
  [
    'a kernel is missing',
    [KERNEL, tensor('K3', 4, 4, 3, 3), ...dense(784)],
    { inputShape: SHAPE },
    /"K2" is missing/,
  ],
  [
    'only some convolutions of an export are normalized',
    [KERNEL, tensor('K2', 4, 4, 3, 3), GAMMA, tensor('beta1', 4), ...dense(196)],
    { inputShape: SHAPE },
    /it has 1 normalizations, but 2 convolutions/,
  ],
  [
    'the channels are no multiple of 4',
    [ODD, tensor('gamma1', 6), tensor('beta1', 6), ...dense(6 * 196)],
    { inputShape: SHAPE },
    /a convolution with group normalization has 6 channels, which is not a multiple of 4/,
  ],
  [
    'there are too many channels',
    stateDict([257], 257 * 196),
    { inputShape: SHAPE },
    /a convolution has 257 channels; 1 to 256 are allowed/,
  ],
  [
    'a convolution has no channels',
    stateDict([0], 784),
    { inputShape: SHAPE },
    /a convolution has 0 channels; 1 to 256 are allowed/,
  ],
  [
    'convolutions of colour images are imported for grey ones',
    stateDict([4, 4, 6], 6 * 49, 3),
    { inputShape: SHAPE },
    /"features.0.weight" has shape \(4, 3, 3, 3\), but must have \(channels, 1, 3, 3\)/,
  ],
  [
    'the field has a stage without convolutions',
    stateDict([4], 784),
    { inputShape: SHAPE, convolutions: [[], [4]] },
    /its convolutions is \[\[4\]\], but the request has \[\[\],\[4\]\]/,
  ],
  [
    'images become too small',
    stateDict([4, 4, 4, 4], 4),
    { inputShape: [8, 8], convolutions: [[4], [4], [4], [4]] },
    /images of 8×8 are 0×0 after stage 4; at least 1×1 must remain/,
  ],
] as const satisfies [string, Float32Tensor[], ImportHints, RegExp, string?][]) {
  test(`reports if ${defect}`, () => {
    for (const file of [npzBytes(tensors), safetensorsBytes(tensors, {})])
      assert.throws(() => importModel(file, hints), isAtelierError('invalid-model-file', message, pointer));
  });
}
