import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportModel } from '../../../src/formats/models/export.ts';
import { EXPORT_FORMATS } from '../../../src/formats/models/export-formats.ts';
import { createForward } from '../../../src/numerics/network/forward.ts';
import { createForward as createKernelForward } from '../../../src/workers/kernel/compile.ts';
import { type ReferencePredictions, verifyExport } from '../../../src/workers/tasks/verify-export.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { fixtureImages, modelOf, publishedModel } from '../../formats/fixtures.ts';

const model = modelOf([784, 5, 3]);
const reference = predictReference(model);

function predictReference(network: typeof model): ReferencePredictions & { probabilities: Float64Array } {
  const probabilities = new Float64Array(8 * network.layerSizes.at(-1)!);
  createForward(network, network.parameters)(probabilities.slice(), probabilities, fixtureImages);
  return { pixels: fixtureImages, probabilities };
}

for (const format of EXPORT_FORMATS) {
  test(`accepts a ${format} file of the model and rejects one with other parameters`, () => {
    const difference = verifyExport(exportModel(model, format), format, model, reference);
    assert.ok(difference <= (format === 'onnx' ? 1e-6 : 0), `${difference}`);
    const other = { ...model, parameters: model.parameters.slice() };
    other.parameters[3930] = 1;
    assert.throws(
      () => verifyExport(exportModel({ ...other, digest: model.digest }, format), format, model, reference),
      isAtelierError(
        'internal-error',
        /my-model@7 was not exported: the .* file does not represent the model \(.*(digest|differ)/,
      ),
    );
  });
}

test('rejects an ONNX file with a wrong activation, without standardization, and NaN probabilities', () => {
  const assertRejected = (wrong: typeof model, probabilities: ArrayLike<number> = reference.probabilities) =>
    assert.throws(
      () => verifyExport(exportModel(wrong, 'onnx'), 'onnx', model, { ...reference, probabilities }),
      isAtelierError('internal-error', /its probabilities differ by/),
    );
  assertRejected({ ...model, activation: 'relu' });
  assertRejected({ ...model, standardization: null });
  assertRejected(
    model,
    reference.probabilities.map(() => Number.NaN),
  );
  assertRejected(model, reference.probabilities.subarray(3));
});

test('accepts a network whose logits exceed the precision of float32, unless the file holds another network', () => {
  // All classes have nearly the same large logit.
  const large = model.parameters.map((value, i) => (i < 785 * 5 ? value : 1000 + value));
  const steep = publishedModel({ ...model, activation: 'identity' }, large);
  const probabilities = new Float32Array(8 * 3);
  createKernelForward(steep)(probabilities.slice(), probabilities, fixtureImages);
  const served = { pixels: fixtureImages, probabilities };
  const difference = verifyExport(exportModel(steep, 'onnx'), 'onnx', steep, served);
  assert.ok(difference > 1e-5 && difference < 0.1, `${difference}`);
  assert.throws(
    () => verifyExport(exportModel({ ...steep, standardization: null }, 'onnx'), 'onnx', steep, served),
    isAtelierError('internal-error', /its probabilities differ by/),
  );
});
