import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import {
  createExportService,
  MAX_EXPORTED_BYTES,
  MAX_JSON_PARAMETERS,
} from '../../../src/services/models/exports.ts';
import { temporaryStore } from '../../store/fixtures.ts';
import { dense } from '../../support/dense.ts';

const { signal } = new AbortController();
const version = (units: number) =>
  ({
    name: 'digits',
    version: 2,
    inputShape: [28, 28],
    convolutions: [],
    norm: 'none',
    layerSizes: [784, units, 10],
    classNames: ['a', 'b'],
    preprocessing: null,
    digest: 'sha256:1',
  }) as unknown as ModelVersion;

type Options = Parameters<typeof createExportService>;

test('a version is written to a file once while it is read, and again with other options', async (t) => {
  const { temporaryFiles } = await temporaryStore(t);
  const loaded = {
    architecture: dense([784, 3, 10]),
    activation: 'relu',
    standardization: null,
    parameters: new Float32Array(1),
  };
  const tasks: { path: string; temperature: number | null; model: object }[] = [];
  const numeric = {
    async run(_kind: string, task: (typeof tasks)[0]) {
      tasks.push(task);
      await writeFile(task.path, `file ${tasks.length}`);
    },
  };
  const service = createExportService(
    { load: async () => loaded } as unknown as Options[0],
    numeric as unknown as Options[1],
    temporaryFiles,
  );
  const read = async (temperature: number | null) =>
    text((await service.export(version(3), 'onnx', 'float', temperature, signal)).read());
  const contents = await Promise.all([read(null), read(null), read(1.5)]);
  assert.deepEqual(contents.sort(), ['file 1', 'file 1', 'file 2']);
  assert.deepEqual(tasks.map(({ temperature }) => temperature).sort(), [1.5, null]);
  assert.deepEqual(tasks[0]!.model, {
    name: 'digits',
    version: 2,
    ...loaded,
    classNames: ['a', 'b'],
    preprocessing: null,
    digest: 'sha256:1',
  });
});

test('JSON is limited to five million parameters, and other formats are not', async (t) => {
  const { temporaryFiles } = await temporaryStore(t);
  const stop = new Error('The limit allows it.');
  const service = createExportService(
    { load: () => Promise.reject(stop) } as unknown as Options[0],
    {} as Options[1],
    temporaryFiles,
  );
  const exportAs = (format: 'json' | 'npz', units: number) =>
    service.export(version(units), format, 'float', null, signal);
  // 795 parameters per unit, and ten biases.
  assert.ok(795 * 6289 + 10 <= MAX_JSON_PARAMETERS && 795 * 6290 + 10 > MAX_JSON_PARAMETERS);
  await assert.rejects(exportAs('json', 6289), stop);
  await assert.rejects(exportAs('npz', 6290), stop);
  await assert.rejects(exportAs('json', 6290), {
    code: 'impossible-request',
    message:
      'A 784-6290-10 network has 5,000,560 parameters; the limit for JSON is 5,000,000. Use format=safetensors: it contains the same parameters.',
    details: [{ parameter: 'format', detail: 'must not be json for such a large network' }],
  });
});

test('exports of up to a gibibyte are read at once', () => {
  assert.equal(MAX_EXPORTED_BYTES, 1024 * 1024 * 1024);
});
