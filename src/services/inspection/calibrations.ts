/** Calibrations of versions: computed at publication, first use or request, stored with the version, loaded for predictions. */
import type { FastifyBaseLogger } from 'fastify';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import type { Catalog } from '../../datasets/catalog.ts';
import type { Dataset, DatasetSummary } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import type { Calibration, CalibrationRequest } from '../../domain/models/calibration.ts';
import { isJobId, type VersionName, type VersionReference } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import { parseCalibration } from '../../formats/arrays/calibration.ts';
import { MAX_CALIBRATION_IMAGES, MAX_TRAINING_IMAGES } from '../../numerics/calibration/fit.ts';
import { architectureText } from '../../numerics/network/architecture.ts';
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import type { LoadedCalibration } from '../../protocols/codec.ts';
import { SERVICE } from '../../store/database/tables.ts';
import { LOOKED_AT } from '../../store/models/looks.ts';
import type { Store } from '../../store/persistent-state.ts';
import { dropShared } from '../../tuning/collect-garbage.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { CalibrationTask } from '../../workers/tasks/calibrate.ts';
import { selectSplit } from '../datasets/find.ts';
import { createEvictableCache } from '../memory/evictable-cache.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import {
  isTrainedOnAll,
  knownTraining,
  listSplits,
  mayBeTrainedOn,
  toValidationSplit,
} from '../training/splits.ts';
import { createCoalescingCache } from './coalesce.ts';
import { MAX_EVALUATION_COST, resolveDataset, unknownDataset } from './evaluations.ts';

/** Limit of the calibrations in memory, of up to four megabytes each for usual networks. */
export const MAX_LOADED_BYTES = 256 * 2 ** 20;
/** Published versions that wait to be calibrated. Beyond this, a version is calibrated at its first use. */
const MAX_PUBLISHED = 16;

export type CalibrationCache = ReturnType<typeof createCalibrationCache>;

export const createCalibrationCache = (maxBytes = MAX_LOADED_BYTES) =>
  createEvictableCache<LoadedCalibration>({
    maxBytes,
    // All arrays are views of one buffer.
    bytesOf: ({ highest }) => highest.buffer.byteLength,
    onRemoved: ({ highest }) => dropShared(highest.buffer.byteLength),
  });

export type CalibrationService = ReturnType<typeof createCalibrationService>;

/** The images of a calibration. */
interface Source {
  readonly dataset: DatasetSummary;
  readonly split: Calibration['split'];
  readonly reused: boolean;
  /** @param isCompared whether the training images of the data set are those that images are compared with */
  readonly images: (dataset: Dataset, isCompared: boolean) => CalibrationTask['source'];
}

export function createCalibrationService(
  { models: versions, blobs, jobs }: Pick<Store, 'models' | 'blobs' | 'jobs'>,
  catalog: Catalog,
  models: ModelService,
  numeric: NumericPool,
  log: Pick<FastifyBaseLogger, 'warn'>,
  cache: CalibrationCache = createCalibrationCache(),
) {
  const coalesce = createCoalescingCache<ModelVersion>(0);
  const published = createSemaphore(1, MAX_PUBLISHED, 'a calibration');
  const closing = new AbortController();
  const coalesceLoads = createCoalescingCache(cache);

  /** Calibrates a version, and stores the result with it. Concurrent calls with the same source share one computation. */
  function compute(
    version: ModelVersion,
    source: Source,
    signal: AbortSignal,
    caller: string,
  ): Promise<ModelVersion> {
    const { name, version: number, digest } = version;
    const { dataset: summary, split, reused } = source;
    const key = JSON.stringify([name, number, digest, summary.digest, split]);
    return coalesce(key, signal, async (abortSignal) => {
      const trainedOn = await findTrainingDataset(version, summary);
      using _used = catalog.use(summary.id);
      using _compared = catalog.use(trainedOn.id);
      const dataset = await catalog.get(summary.id);
      if (!dataset) {
        throw unknownDataset(catalog, `Data set ${summary.id} has just been deleted`, {
          pointer: '#/dataset',
        });
      }
      // As if it had been deleted before.
      const compared = (await catalog.get(trainedOn.id)) ?? dataset;
      const network = servedNetwork(await models.load(name, number));
      const images = source.images(dataset, dataset.digest === compared.digest);
      const train = Array.isArray(images) ? compared.learning : compared.train;
      const task = { network, train, source: images };
      const { file, figures, onlyClass } = await numeric.run('calibrate', task, abortSignal);
      const look = { datasetDigest: summary.digest, kind: 'calibration', network: version, caller } as const;
      const calibrated = await versions.calibrate(
        version,
        { dataset: summary.id, split, reused, ...figures, warning: onlyClass && warnOfClass(onlyClass) },
        file,
        split === LOOKED_AT ? look : undefined,
      );
      await models.invalidateEverywhere();
      if (calibrated) return calibrated;
      throw new AtelierError('model-not-found', `Version ${number} of model ${name} has just been deleted.`);
    });
  }

  /** The data set that the version was trained on; the calibration's if that is the same, unknown or deleted. */
  async function findTrainingDataset(
    { lineage }: ModelVersion,
    calibration: DatasetSummary,
  ): Promise<DatasetSummary> {
    if (lineage.dataset === null || lineage.dataset.digest === calibration.digest) return calibration;
    const found = await catalog.find(lineage.dataset.id);
    return found?.digest === lineage.dataset.digest ? found : calibration;
  }

  /** The validation images of the training, or the test images that an import measured, or the reason why there are none. */
  async function findImages(version: ModelVersion): Promise<Source | string> {
    const known = knownTraining(version);
    const of = version.lineage.dataset;
    if (of === null || (known === null && version.testAccuracy === null))
      return 'it was imported without measuring test images';
    const dataset = await catalog.find(of.id);
    if (dataset?.digest !== of.digest) return 'its data set was deleted';
    if (known && isTrainedOnAll(known.request.training, dataset)) return 'its training held out no images';
    if (known === null) return { dataset, split: 'test', reused: false, images: ({ test }) => test };
    const splits = await listSplits(known, models, jobs);
    if (splits === null) return 'a model that its training used was imported or deleted';
    if (splits.some(({ training }) => isTrainedOnAll(training, dataset)))
      return 'a training that its own depends on held out no images';
    const reused = await isChosen(version);
    const images: Source['images'] = (loaded) => splits.map((split) => toValidationSplit(split, loaded));
    return { dataset, split: 'validation', reused, images };
  }

  /** Whether validation images chose the version. */
  async function isChosen({ lineage: { request, jobId } }: ModelVersion): Promise<boolean> {
    const job = jobId === null ? undefined : await jobs.get(jobId);
    const training = request?.['training'] as ResolvedTrainingRequest['training'] | undefined;
    return (training && isChosenByValidation(training)) || (job?.search ?? null) !== null;
  }

  /** The version with its calibration. Without one it is calibrated on the images of `findImages`. */
  async function ensure(version: ModelVersion, signal: AbortSignal): Promise<ModelVersion> {
    if (version.calibration !== null) return version;
    const source = isAffordable(version) ? await findImages(version) : 'its network is too large for one';
    if (typeof source === 'string') throw await notCalibrated(version, source);
    try {
      return await compute(version, source, signal, SERVICE);
    } catch (error) {
      if (hasCode(error, 'unknown-dataset')) throw await notCalibrated(version, 'its data set was deleted');
      if (!(error instanceof AtelierError && error.code === 'impossible-request')) throw error;
      throw await notCalibrated(version, `its ${source.split} split ${error.details[0]!.detail}`);
    }
  }

  async function notCalibrated(version: ModelVersion, reason: string): Promise<AtelierError> {
    const { name, version: number, lineage } = version;
    const isFound = lineage.dataset !== null && (await catalog.find(lineage.dataset.id)) !== undefined;
    const advice = isAffordable(version)
      ? `Calibrate it with POST /v1/models/${name}/versions/${number}/calibration${isFound ? '' : ' and the `dataset` of the images'}.`
      : 'Use a smaller network.';
    const message = `Version ${number} of model ${name} has no calibration, because ${reason}. ${advice}`;
    return new AtelierError('not-calibrated', message);
  }

  /** The calibration of a version with its arrays, computed now if it can be. */
  async function load({ name, version }: VersionReference, signal: AbortSignal): Promise<LoadedCalibration> {
    if (isJobId(name)) {
      throw new AtelierError(
        'not-calibrated',
        'Checkpoints have no calibration. Omit ?coverage and ?calibrated, or use the version that the job publishes.',
      );
    }
    const { calibration } = await ensure(await models.version(name, version), signal);
    const { dataset, split, images, reused, digest } = calibration!;
    // Copies of a version share the arrays only.
    const key = JSON.stringify([digest, dataset, split, images, reused]);
    const used = { dataset, split, images, reused };
    return coalesceLoads(key, signal, async () => ({
      ...parseCalibration(await blobs.get(digest)),
      used,
      digest,
    }));
  }

  return {
    /**
     * Calibrates a version that was just published, in the background and after those before it. If that fails, or the
     * service stops, the version is calibrated at its first use.
     */
    calibratePublished({ name, version }: VersionReference): void {
      const { signal } = closing;
      published
        .run(async () => ensure(await models.version(name, version), signal), signal)
        .catch((err) => {
          if (signal.aborted || hasCode(err, 'not-calibrated', 'model-not-found')) return;
          // The stack of an expected error is noise.
          const cause = err instanceof AtelierError ? { reason: err.message } : { err };
          const model = { name, version };
          log.warn({ model, ...cause }, 'failed to calibrate a published version, its first use repeats it');
        });
    },

    /** Ends the calibrations in the background. */
    close: () => closing.abort(),

    /**
     * Calibrates a version on a split, in place of an earlier calibration. Test images are counted as a look.
     * @param caller name of an API key, or `anonymous`
     * @throws AtelierError `model-not-found`, `unknown-dataset`, `dataset-damaged`, `impossible-request`,
     *   `evaluation-too-costly`, `storage-full`
     */
    async calibrate(
      { name, version }: { readonly name: string; readonly version: VersionName },
      { dataset: requested, split }: CalibrationRequest,
      signal: AbortSignal,
      caller: string,
    ): Promise<Calibration> {
      const found = await models.version(name, version);
      const place = { pointer: '#/dataset' };
      const dataset = await resolveDataset(catalog, found, requested, place);
      selectSplit(dataset.id, dataset.splits, split, { pointer: '#/split' });
      if (!isAffordable(found)) throw tooCostly(found);
      const isOfTraining = split === 'validation' && found.lineage.dataset?.digest === dataset.digest;
      const source: Source = {
        dataset,
        split,
        reused: mayBeTrainedOn(found, dataset.digest, split) || (isOfTraining && (await isChosen(found))),
        images: (images, isCompared) => (split === 'train' && isCompared ? 'train' : images[split]!),
      };
      return (await compute(found, source, signal, caller)).calibration!;
    },

    /**
     * The calibration of a version, computed now if it can be.
     * @throws AtelierError `model-not-found`, `not-calibrated`
     */
    async get(name: string, version: VersionName, signal: AbortSignal): Promise<Calibration> {
      return (await ensure(await models.version(name, version), signal)).calibration!;
    },

    /** The same with its arrays, for predictions. @throws AtelierError `not-calibrated`, `state-unusable` */
    load,

    /** The same for diagnoses; null instead of `not-calibrated`. */
    loadIfAny: (model: VersionReference, signal: AbortSignal): Promise<LoadedCalibration | null> =>
      load(model, signal).catch((error) => {
        if (hasCode(error, 'not-calibrated')) return null;
        throw error;
      }),
  };
}

/** Whether validation images ended the training or chose its epoch, learning rates included. */
function isChosenByValidation({
  earlyStopping,
  schedule,
  budget,
}: Pick<ResolvedTrainingRequest['training'], 'earlyStopping' | 'schedule' | 'budget'>): boolean {
  return (
    earlyStopping !== null ||
    schedule.type === 'plateau' ||
    (budget?.targetValidationAccuracy ?? undefined) !== undefined
  );
}

const isAffordable = (version: ModelVersion) =>
  (MAX_CALIBRATION_IMAGES + MAX_TRAINING_IMAGES) * kernelCost(architectureOf(version)) <= MAX_EVALUATION_COST;

const warnOfClass = (name: string) =>
  `All calibration images are of class ${name}, so the coverage holds for images of this class only.`;

function tooCostly(version: ModelVersion): AtelierError {
  return new AtelierError(
    'evaluation-too-costly',
    `Calibrating ${architectureText(architectureOf(version))} takes longer than a request may. Use a smaller network.`,
  );
}
