import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, describeMetadata } from '../../../src/protocols/kserve-v2/model-description.ts';

const model = { name: 'm', inputShape: [4, 8], classes: 3, asImage: false, isCalibrated: true } as const;

test('the metadata of a calibrated model have the outputs of a coverage', () => {
  assert.deepEqual(describeMetadata(model, [1, 2]), {
    ...{ name: 'm', versions: ['1', '2'], platform: 'atelier' },
    inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 4, 8] }],
    outputs: [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'prediction_set', datatype: 'BOOL', shape: [-1, 3] },
      { name: 'unsure', datatype: 'BOOL', shape: [-1] },
    ],
  });
  const { outputs } = describeMetadata({ ...model, isCalibrated: false }, [1]);
  assert.deepEqual(
    outputs.map(({ name }) => name),
    ['probabilities', 'label'],
  );
});

test('the configuration of an image classifier has bytes in channels, rows and columns, and one output', () => {
  const config = describeConfig({ ...model, inputShape: [4, 8, 3], asImage: true }, 4096 + 960);
  assert.deepEqual(config, {
    ...{ name: 'm', platform: 'atelier', backend: 'atelier', version_policy: { all: {} } },
    max_batch_size: 10,
    input: [
      {
        ...{ name: 'image', data_type: 'TYPE_UINT8', format: 'FORMAT_NCHW', dims: [3, 4, 8] },
        ...{ is_shape_tensor: false, optional: false },
      },
    ],
    output: [
      {
        ...{ name: 'probabilities', data_type: 'TYPE_FP32', dims: [3] },
        ...{ label_filename: 'labels.txt', is_shape_tensor: false },
      },
    ],
    model_transaction_policy: { decoupled: false },
  });
});

test('a configuration has one number per image as a reshaped dimension, and room for at least one image', () => {
  const { input, output, max_batch_size } = describeConfig(model, 4096 + 127);
  assert.deepEqual([input[0]?.format, input[0]?.dims, max_batch_size], ['FORMAT_NONE', [4, 8], 1]);
  assert.deepEqual(
    output.map(({ dims, reshape, label_filename }) => [dims, reshape, label_filename]),
    [
      [[3], undefined, 'labels.txt'],
      [[1], { shape: [] }, ''],
      [[3], undefined, ''],
      [[1], { shape: [] }, ''],
    ],
  );
  assert.equal(describeConfig(model, 4096 + 256).max_batch_size, 2);
});
