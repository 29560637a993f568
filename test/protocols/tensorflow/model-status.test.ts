import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '../../../src/domain/models/representation.ts';
import { modelMetadata, modelStatus, versionStatus } from '../../../src/protocols/tensorflow/model-status.ts';

test('the status of a model has its newest version and those with an alias, the newest first', () => {
  const model = { latest: { version: 12 }, aliases: { champion: 3, candidate: 12, old: 10 } };
  const { model_version_status } = modelStatus(model as unknown as Model);
  assert.deepEqual(
    model_version_status.map(({ version }) => version),
    ['12', '10', '3'],
  );
});

test('every version is available', () => {
  const ok = { state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } };
  assert.deepEqual(versionStatus(3), { model_version_status: [{ version: '3', ...ok }] });
});

test('the metadata has an input of any number of images and an output of the classes', () => {
  const described = { name: 'm', version: 3, inputShape: [8, 9, 3] as const, classNames: ['a', 'b'] };
  const tensor = (name: string, ...sizes: string[]) => ({
    dtype: 'DT_FLOAT',
    tensor_shape: { dim: sizes.map((size) => ({ size, name: '' })), unknown_rank: false },
    name,
  });
  assert.deepEqual(modelMetadata({ ...described, inputShape: [...described.inputShape] }), {
    model_spec: { name: 'm', signature_name: '', version: '3' },
    metadata: {
      signature_def: {
        signature_def: {
          serving_default: {
            inputs: { image: tensor('serving_default_image:0', '-1', '8', '9', '3') },
            outputs: { probabilities: tensor('StatefulPartitionedCall:0', '-1', '2') },
            method_name: 'tensorflow/serving/predict',
          },
        },
      },
    },
  });
});
