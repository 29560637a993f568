import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { parseNpz } from '../../../src/formats/arrays/npz.ts';
import { parseSafetensors } from '../../../src/formats/arrays/safetensors.ts';
import { layerTensors } from '../../../src/formats/arrays/tensor.ts';
import { exportModel } from '../../../src/formats/models/export.ts';
import { EXPORT_FORMATS, exportFileName } from '../../../src/formats/models/export-formats.ts';
import { layerSizes } from '../../../src/numerics/network/architecture.ts';
import { dense } from '../../support/dense.ts';
import { modelOf } from '../fixtures.ts';

const model = modelOf(dense([784, 5, 3]));
const [W1, b1, W2, b2] = layerTensors(model.architecture, model.parameters) as [
  Tensor,
  Tensor,
  Tensor,
  Tensor,
];
type Tensor = ReturnType<typeof layerTensors>[number];

test('npy is the packed vector', () => {
  const { shape, dtype, data } = parseNpy(exportModel(model, 'npy'));
  assert.deepEqual([shape, dtype], [[785 * 5 + 6 * 3], 'f4']);
  assert.deepEqual(data, Float32Array.from(model.parameters));
});

test('npz and safetensors contain each layer under its name', () => {
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

test('safetensors contains the metadata of the model', () => {
  const { name, version, activation, architecture, classNames, standardization, digest } = model;
  assert.deepEqual(parseSafetensors(exportModel(model, 'safetensors')).metadata, {
    format: 'atelier',
    name,
    version: String(version),
    activation,
    layer_sizes: JSON.stringify(layerSizes(architecture)),
    class_names: JSON.stringify(classNames),
    standardization: JSON.stringify(standardization),
    digest,
  });
});

test('json contains everything, with parameters as nested arrays', () => {
  const { parameters: _, architecture, ...rest } = model;
  const rows = ({ data }: Tensor, columns: number) =>
    Array.from({ length: data.length / columns }, (_, i) => [...data.slice(i * columns, (i + 1) * columns)]);
  assert.deepEqual(JSON.parse(Buffer.from(exportModel(model, 'json')).toString()), {
    ...rest,
    layerSizes: layerSizes(architecture),
    parameters: { W1: rows(W1, 784), b1: [...b1.data], W2: rows(W2, 5), b2: [...b2.data] },
  });
});

for (const format of EXPORT_FORMATS) {
  test(`the same model gives the same ${format} bytes, in any time zone`, () => {
    const [zone, bytes] = [process.env['TZ'], exportModel(model, format)];
    process.env['TZ'] = 'Pacific/Auckland';
    const elsewhere = exportModel(modelOf(dense([784, 5, 3])), format);
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
    assert.deepEqual(elsewhere, bytes);
  });
}

test('the file is named after the model and its version', () => {
  assert.equal(exportFileName(model, 'safetensors'), 'my-model-7.safetensors');
});
