import assert from 'node:assert/strict';
import { test } from 'node:test';
import { npzBytes } from '../../../src/formats/arrays/npz.ts';
import type { Float32Tensor } from '../../../src/formats/arrays/tensor.ts';
import { type ImportHints, importModel } from '../../../src/formats/models/import.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { tensor } from '../fixtures.ts';

const SHAPE = [8, 8] as const;
const filled = (name: string, length: number, value: number): Float32Tensor => ({
  name,
  shape: [length],
  data: new Float32Array(length).fill(value),
});
const batchNorm = (name: string, channels: number) => [
  filled(`${name}.weight`, channels, 3),
  filled(`${name}.bias`, channels, 0.5),
  filled(`${name}.running_mean`, channels, 0.25),
  filled(`${name}.running_var`, channels, 4),
];
const CONVOLUTIONS = [
  tensor('stem.conv.weight', 4, 1, 3, 3),
  filled('stem.conv.bias', 4, 1),
  tensor('block.conv.weight', 4, 4, 3, 3),
];
const HEAD = [tensor('head.weight', 3, 16), tensor('head.bias', 3)];
const read = (tensors: Float32Tensor[], hints: ImportHints = {}) =>
  importModel(npzBytes(tensors), { inputShape: SHAPE, ...hints });

test('batch normalization becomes part of the convolution with the same module', () => {
  const norms = [...batchNorm('block.bn', 4), ...batchNorm('stem.bn', 4)];
  const counters = [
    filled('block.bn.num_batches_tracked', 1, 7),
    filled('stem.bn.num_batches_tracked', 1, 7),
  ];
  norms[4]!.data.fill(1);
  const { parameters, architecture, assumed } = read([...norms, ...counters, ...CONVOLUTIONS, ...HEAD]);
  assert.deepEqual([architecture.convolutions, architecture.norm], [[[4], [4]], 'none']);
  assert.ok(!assumed.includes('biases'));
  const spread = Math.sqrt(4 + 1e-5);
  const [stem, block] = [CONVOLUTIONS[0]!.data, CONVOLUTIONS[2]!.data];
  assert.deepEqual(
    parameters.subarray(0, 36),
    stem.map((weight) => weight * (1 / spread)),
  );
  assert.deepEqual(parameters.subarray(36, 40), filled('', 4, (1 - 0.25) / spread + 0.5).data);
  assert.deepEqual(
    parameters.subarray(40, 184),
    block.map((weight) => weight * (3 / spread)),
  );
  assert.deepEqual(parameters.subarray(184, 188), filled('', 4, (-0.25 * 3) / spread + 0.5).data);
});

test('batch normalization without parameters has the scale 1 and the shift 0', () => {
  const norms = [...batchNorm('block.bn', 4), ...batchNorm('stem.bn', 4)];
  const statistics = norms.filter(({ name }) => name.includes('running'));
  const { parameters } = read([...statistics, ...CONVOLUTIONS, ...HEAD]);
  assert.deepEqual(parameters.subarray(36, 40), filled('', 4, (1 - 0.25) / Math.sqrt(4 + 1e-5)).data);
});

test('the request confirms that normalizations are of groups of 4 channels', () => {
  const norms = [...batchNorm('block.gn', 4), ...batchNorm('stem.gn', 4)].filter(
    ({ name }) => !name.includes('running'),
  );
  const tensors = [...norms, ...CONVOLUTIONS, ...HEAD];
  assert.equal(read(tensors, { norm: 'group' }).architecture.norm, 'group');
  assert.throws(
    () => read(tensors),
    isAtelierError(
      'invalid-model-file',
      /"stem\.gn\.weight"|"block\.gn\.weight" of shape \(4,\) belongs to a normalization of unknown groups; send the field norm=group/,
      '#/norm',
    ),
  );
});

for (const [defect, tensors, message] of [
  [
    'only one of two convolutions is normalized',
    [...batchNorm('stem.bn', 4), ...CONVOLUTIONS, ...HEAD],
    /it has 1 normalizations, such as "stem\.bn", but 2 convolutions/,
  ],
  [
    'a variance is missing',
    [...batchNorm('a', 4).slice(0, 3), ...batchNorm('b', 4), ...CONVOLUTIONS, ...HEAD],
    /"a\.running_var" is missing/,
  ],
  [
    'a normalization has other channels',
    [...batchNorm('block.bn', 4), ...batchNorm('stem.bn', 8), ...CONVOLUTIONS, ...HEAD],
    /"stem\.bn\.weight" has shape \(8,\), but must have \(4,\), since "stem\.conv\.weight"/,
  ],
  [
    'fully connected layers are normalized',
    [...batchNorm('1', 64), tensor('0.weight', 64, 64), tensor('2.weight', 3, 64)],
    /it has 1 normalizations, such as "1", but 0 convolutions/,
  ],
] as const satisfies [string, Float32Tensor[], RegExp][]) {
  test(`reports if ${defect}`, () => {
    assert.throws(() => read([...tensors]), isAtelierError('invalid-model-file', message));
  });
}
