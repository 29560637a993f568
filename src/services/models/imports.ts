/** Imports models: reads a model file, evaluates it, and publishes it as a version. */

import type { Catalog } from '../../datasets/catalog.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import { describeArchitecture } from '../../domain/models/architecture.ts';
import { type ImportRequest, NO_DATASET } from '../../domain/models/import.ts';
import type { VersionReference } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { EvaluationTask } from '../../workers/tasks/evaluate.ts';
import type { ImportResult } from '../../workers/tasks/import.ts';
import { assertFitsModel, findDataset } from '../datasets/find.ts';
import { MAX_EVALUATION_COST } from '../inspection/evaluations.ts';
import type { ModelService } from './catalog.ts';

export type ImportService = ReturnType<typeof createImportService>;

export interface ModelUpload {
  readonly bytes: Uint8Array;
  /** `sha256:` and the digest of the file. */
  readonly digest: string;
}

export function createImportService(options: {
  store: Pick<Store, 'models' | 'blobs'>;
  catalog: Catalog;
  models: ModelService;
  numeric: NumericPool;
  /** Called after a version was published. */
  onPublished: (model: VersionReference) => void;
}) {
  const { store, catalog, models, numeric, onPublished } = options;

  async function resolveDataset(
    requested: string | undefined,
    model: string,
    imported: ImportResult,
  ): Promise<Dataset | null> {
    if (requested === undefined || requested === NO_DATASET) return null;
    const dataset = await findDataset(catalog, requested, '#/dataset');
    const classNames = imported.classNames ?? numberedClasses(imported.architecture.classes);
    const { inputShape } = imported.architecture;
    assertFitsModel(dataset, model, { inputShape, classNames }, { pointer: '#/dataset' });
    return dataset;
  }

  async function measureTestAccuracy(
    network: EvaluationTask['network'],
    dataset: Dataset | null,
    signal: AbortSignal,
  ): Promise<number | null> {
    if (dataset === null) return null;
    const { test } = dataset;
    if (test.labels.length * kernelCost(network.architecture) > MAX_EVALUATION_COST) return null;
    return (await numeric.run('evaluate', { network, examples: test }, signal)).accuracy;
  }

  return {
    /**
     * @param file its buffer is transferred to the worker
     * @param signal aborts the work when the client disconnects
     * @param caller name of an API key, or `anonymous`
     * @throws AtelierError `unknown-dataset`, `dataset-damaged`, `invalid-model-file`, `storage-full`, `overloaded`;
     *   `impossible-request` if the data set has another number of classes than the model
     */
    async import(
      file: ModelUpload,
      request: ImportRequest,
      signal: AbortSignal,
      idempotency?: IdempotencyRecord<ModelVersion>,
      caller?: string,
    ) {
      const { name, dataset: requested, metadata = {}, ...hints } = request;
      const { bytes } = file;
      const imported = await numeric.run('importFile', { bytes, hints }, signal, [bytes]);
      const { architecture, activation, standardization, parameters } = imported;
      const { source, rounded, assumed } = imported;
      const dataset = await resolveDataset(requested, name, imported);
      const classNames = imported.classNames ?? dataset?.classNames ?? numberedClasses(architecture.classes);
      const network = { architecture, activation, standardization, parameters, classNames };
      const reference = { name, version: 0 };
      const testAccuracy = await measureTestAccuracy({ ...network, reference }, dataset, signal);
      const packed = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength);
      const version = await store.blobs.putReferenced(packed, (digest) =>
        store.models.publish(
          {
            name,
            ...describeArchitecture(architecture),
            activation,
            standardization,
            preprocessing: imported.preprocessing,
            classNames: [...classNames],
            engine: null,
            fused: false,
            datasetId: dataset?.id ?? null,
            datasetDigest: dataset?.digest ?? null,
            testAccuracy,
            digest,
            metadata,
            caller,
            imported: { source, fileDigest: file.digest, rounded, assumed },
          },
          idempotency,
        ),
      );
      await models.invalidateEverywhere();
      onPublished(version);
      return version;
    },
  };
}

const numberedClasses = (classes: number) => Array.from({ length: classes }, (_, label) => `${label}`);
