import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXPORT_FORMATS, exportFileName, exportModel } from '../../src/formats/export-model.ts';
import { parseNpy } from '../../src/formats/npy.ts';
import { parseNpz } from '../../src/formats/npz.ts';
import { parseSafetensors } from '../../src/formats/safetensors.ts';
import { layerTensors } from '../../src/formats/tensor.ts';
import { createForward } from '../../src/numerics/forward.ts';
import { createForward as createServedForward } from '../../src/workers/kernel.ts';
import { verifyExport } from '../../src/workers/tasks/verify-export.ts';
import { refused } from '../datasets/fixtures.ts';
import { fixtureImages, modelOf, publishedModel } from './fixtures.ts';

const model = modelOf([784, 5, 3]);
const [W1, b1, W2, b2] = layerTensors(model.layerSizes, model.parameters) as [Tensor, Tensor, Tensor, Tensor];
type Tensor = ReturnType<typeof layerTensors>[number];

/** What the service answers. */
function answersOf(of: typeof model) {
  const probabilities = new Float64Array(8 * of.layerSizes.at(-1)!);
  createForward(of, of.parameters)(probabilities.slice(), probabilities, fixtureImages);
  return { pixels: fixtureImages, probabilities };
}

test('npy is the packed vector', () => {
  const { shape, dtype, data } = parseNpy(exportModel(model, 'npy'));
  assert.deepEqual([shape, dtype], [[785 * 5 + 6 * 3], 'f4']);
  assert.deepEqual(data, Float32Array.from(model.parameters));
});

test('npz and safetensors hold each layer under its name', () => {
  for (const tensors of [
    parseNpz(exportModel(model, 'npz')),
    parseSafetensors(exportModel(model, 'safetensors')).tensors,
  ]) {
    assert.deepEqual(
      tensors.map(({ name, shape }) => [name, ...shape]),
      [
        ['W1', 5, 784],
        ['b1', 5],
        ['W2', 3, 5],
        ['b2', 3],
      ],
    );
    assert.deepEqual([...tensors[2]!.data], [...W2.data]);
  }
});

test('safetensors says what makes the parameters a model', () => {
  const { name, version, activation, layerSizes, classNames, standardization, digest } = model;
  assert.deepEqual(parseSafetensors(exportModel(model, 'safetensors')).metadata, {
    format: 'atelier',
    name,
    version: String(version),
    activation,
    layer_sizes: JSON.stringify(layerSizes),
    class_names: JSON.stringify(classNames),
    standardization: JSON.stringify(standardization),
    digest,
  });
});

test('json holds everything, the parameters as nested arrays', () => {
  const { parameters: _, ...rest } = model;
  const rows = ({ data }: Tensor, columns: number) =>
    Array.from({ length: data.length / columns }, (__, i) => [...data.slice(i * columns, (i + 1) * columns)]);
  assert.deepEqual(JSON.parse(Buffer.from(exportModel(model, 'json')).toString()), {
    ...rest,
    parameters: { W1: rows(W1, 784), b1: [...b1.data], W2: rows(W2, 5), b2: [...b2.data] },
  });
});

for (const format of EXPORT_FORMATS) {
  test(`the same model gives the same bytes of ${format}, in any time zone`, () => {
    const [zone, bytes] = [process.env['TZ'], exportModel(model, format)];
    process.env['TZ'] = 'Pacific/Auckland';
    const elsewhere = exportModel(modelOf([784, 5, 3]), format);
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
    assert.deepEqual(elsewhere, bytes);
  });

  test(`a good ${format} file passes its check, one of other parameters does not`, () => {
    const difference = verifyExport(exportModel(model, format), format, model, answersOf(model));
    assert.ok(difference <= (format === 'onnx' ? 1e-6 : 0), `${difference}`);
    const other = { ...model, parameters: model.parameters.slice() };
    other.parameters[3930] = 1;
    assert.throws(
      () =>
        verifyExport(
          exportModel({ ...other, digest: model.digest }, format),
          format,
          model,
          answersOf(model),
        ),
      refused(
        'internal-error',
        /my-model@7 was not exported: the .* file is not the model, .*(digest|differ)/,
      ),
    );
  });
}

test('the check of an ONNX file sees a wrong activation, a lost standardisation, and numbers that are none', () => {
  const answers = answersOf(model);
  const refusal = (wrong: typeof model, probabilities: ArrayLike<number> = answers.probabilities) =>
    assert.throws(
      () => verifyExport(exportModel(wrong, 'onnx'), 'onnx', model, { ...answers, probabilities }),
      refused('internal-error', /its probabilities differ by/),
    );
  refusal({ ...model, activation: 'relu' });
  refusal({ ...model, standardization: null });
  refusal(
    model,
    answers.probabilities.map(() => Number.NaN),
  );
  refusal(model, answers.probabilities.subarray(3));
});

test('a network whose logits float32 does not hold to 1e-5 passes its check, unless the file is of another one', () => {
  // All classes have nearly the same large logit.
  const large = model.parameters.map((value, i) => (i < 785 * 5 ? value : 1000 + value));
  const steep = publishedModel({ ...model, activation: 'identity' }, large);
  const probabilities = new Float32Array(8 * 3);
  createServedForward(steep)(probabilities.slice(), probabilities, fixtureImages);
  const answers = { pixels: fixtureImages, probabilities };
  const difference = verifyExport(exportModel(steep, 'onnx'), 'onnx', steep, answers);
  assert.ok(difference > 1e-5 && difference < 0.1, `${difference}`);
  assert.throws(
    () => verifyExport(exportModel({ ...steep, standardization: null }, 'onnx'), 'onnx', steep, answers),
    refused('internal-error', /its probabilities differ by/),
  );
});

test('the file is called after the model and its version', () => {
  assert.equal(exportFileName(model, 'safetensors'), 'my-model-7.safetensors');
});
