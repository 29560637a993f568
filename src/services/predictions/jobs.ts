/** Creates, lists, pauses, resumes, cancels and deletes prediction jobs, and opens their results. */

import { rm } from 'node:fs/promises';
import type { Catalog } from '../../datasets/catalog.ts';
import type { ImageFile } from '../../datasets/upload/arrays/prediction-file.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import { type ModelReference, parseModelReference } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type {
  NewPredictionJob,
  PredictionFields,
  PredictionJob,
  PredictionRequest,
  PredictionStatus,
} from '../../domain/predictions/job.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { JobQueue } from '../../queue/job-queue.ts';
import type { StatusQuery } from '../../store/database/pagination.ts';
import type { Precondition } from '../../store/database/rows.ts';
import type { IdempotencyRecord } from '../../store/idempotency.ts';
import { LOOKED_AT } from '../../store/models/looks.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { DatasetPool, NumericPool } from '../../workers/pools.ts';
import { assertFitsModel, selectSplit, unknownDataset } from '../datasets/find.ts';
import type { CalibrationService } from '../inspection/calibrations.ts';
import { DEMANDS } from '../inspection/task-demands.ts';
import { MEBIBYTE, type MemoryLedger } from '../memory/ledger.ts';
import { findNamed, type ModelService } from '../models/catalog.ts';
import { createSharedFiles } from '../operations/shared-files.ts';
import type { Waits } from '../runs/waits.ts';

export const RESULT_FORMATS = ['csv', 'npy'] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

/** Advice about a job without a result. */
const RESULT_ADVICE: Readonly<Record<Exclude<PredictionStatus, 'succeeded'>, string>> = {
  queued: 'Wait for its end',
  running: 'Wait for its end',
  paused: 'Resume it',
  failed: 'Start a new job',
  cancelled: 'Start a new job',
};

/** If clients are reading results of more than this size, no further one is written. */
export const MAX_RESULT_BYTES = 2 ** 30;
/** The thread that checks an array, and the chunks of the body that the main thread has not collected. */
const CHECK_BYTES = 80 * MEBIBYTE;

export type PredictionJobService = ReturnType<typeof createPredictionJobService>;

export function createPredictionJobService(options: {
  store: Pick<Store, 'predictionJobs' | 'temporaryFiles'>;
  catalog: Catalog;
  models: ModelService;
  calibrations: Pick<CalibrationService, 'load'>;
  queue: JobQueue;
  memory: MemoryLedger;
  checks: DatasetPool;
  numeric: NumericPool;
  waits: Waits<'memory'>;
  queueLimit: number;
  /** Limit of an uploaded file, both compressed and decompressed. */
  maxBytes: number;
}) {
  const {
    store,
    catalog,
    models,
    calibrations,
    queue,
    memory,
    checks,
    numeric,
    waits,
    queueLimit,
    maxBytes,
  } = options;
  const { predictionJobs: jobs, temporaryFiles } = store;
  const { newFile } = temporaryFiles;
  const discard = (file: string) => rm(file, { force: true });
  const openShared = createSharedFiles(newFile, MAX_RESULT_BYTES);

  async function get(id: string): Promise<PredictionJob> {
    const job = await jobs.get(id);
    if (!job) throw new AtelierError('prediction-job-not-found', `Prediction job ${id} does not exist.`);
    return waits.mark(job);
  }

  /** A precondition compares jobs as `get` returns them. */
  const onMarked = (precondition: Precondition<PredictionJob> | undefined) =>
    precondition && ((job: PredictionJob) => precondition(waits.mark(job)));

  async function findVersion(reference: ModelReference): Promise<ModelVersion> {
    const { name, version } = parseModelReference(reference);
    const found = await findNamed({ pointer: '#/model' }, () => models.version(name, version));
    const network = {
      ...found,
      architecture: architectureOf(found),
      reference: found,
      parameters: new Float32Array(0),
    };
    const input = { path: '', scale: '0-255' } as const;
    const { bytes, what } = DEMANDS.predictImages({
      network,
      input,
      target: '',
      progress: new Int32Array(1),
      judging: null,
    });
    memory.assertJobFits(bytes, {
      what,
      details: [{ pointer: '#/model', detail: 'requires too much memory' }],
    });
    return found;
  }

  async function create(
    { name, version, classNames }: ModelVersion,
    job: Omit<NewPredictionJob, 'model' | 'classNames'>,
    options: Omit<Parameters<typeof jobs.create>[1], 'queueLimit'>,
  ): Promise<PredictionJob> {
    const model = { name, version };
    const created = await jobs.create({ model, classNames, ...job }, { ...options, queueLimit });
    queue.notify();
    return created;
  }

  return {
    /** Path of a new file for an upload, and the removal of it. */
    newFile,
    discard,
    /** @throws AtelierError `prediction-job-not-found` */
    get,
    async list(query: StatusQuery<PredictionStatus>) {
      const page = await jobs.list(query);
      return { ...page, data: page.data.map(waits.mark) };
    },
    /** @throws AtelierError `queue-full`; call it before the body of a large request is read */
    assertQueueHasRoom: () => jobs.assertQueueHasRoom(queueLimit),

    /**
     * A job for a test split is counted as a look at it.
     * @param caller name of an API key, or `anonymous`
     * @throws AtelierError `unknown-model`, `unknown-dataset`, `impossible-request`, `queue-full`, `not-calibrated`
     */
    async start(
      { model, dataset: id, split, coverage }: PredictionRequest,
      caller: string,
      signal: AbortSignal,
      record?: IdempotencyRecord<PredictionJob>,
    ) {
      const version = await findVersion(model);
      if (coverage !== undefined) await calibrations.load(version, signal);
      const dataset = await catalog.find(id);
      if (!dataset) throw unknownDataset(catalog, '#/dataset', `Data set ${id} does not exist`);
      assertFitsModel(dataset, version.name, version, { pointer: '#/dataset' });
      const look = { datasetDigest: dataset.digest, kind: 'predictions', network: version, caller } as const;
      const { examples } = selectSplit(id, dataset.splits, split, { pointer: '#/split' });
      return create(
        version,
        { source: { dataset: id, split }, images: examples, coverage: coverage ?? null },
        {
          idempotency: record,
          look: split === LOOKED_AT ? look : undefined,
        },
      );
    },

    /**
     * Checks the file in a worker thread. The caller still owns it.
     * @throws AtelierError the errors of `start` and of `checkImageFile`, `storage-full`, `overloaded`
     */
    async startWithFile(
      { model, coverage }: Pick<PredictionFields, 'model' | 'coverage'>,
      file: ImageFile,
      signal: AbortSignal,
      record?: IdempotencyRecord<PredictionJob>,
    ) {
      const version = await findVersion(model);
      if (coverage !== undefined) await calibrations.load(version, signal);
      const target = newFile();
      try {
        const what = `Checking an array of ${file.bytes.toLocaleString('en')} bytes`;
        const { images, pixels, isUnpacked } = await checks.run(
          'checkImageFile',
          { file, image: version.inputShape, maxBytes, target },
          signal,
          [],
          () => memory.reserve(CHECK_BYTES, { what }),
        );
        const input = isUnpacked ? target : file.path;
        return await create(
          version,
          { source: { pixels }, images, coverage: coverage ?? null },
          { input, idempotency: record },
        );
      } finally {
        await discard(target);
      }
    },

    /** @throws AtelierError `prediction-job-not-found`, `illegal-transition`, and the errors of the precondition */
    async cancel(id: string, precondition?: Precondition<PredictionJob>) {
      const job = await jobs.cancel(id, onMarked(precondition));
      queue.stop(id);
      return job;
    },
    /** @throws AtelierError `prediction-job-not-found`, `illegal-transition`, and the errors of the precondition */
    async pause(id: string, precondition?: Precondition<PredictionJob>) {
      const job = await jobs.pause(id, onMarked(precondition));
      queue.stop(id);
      return job;
    },
    /** @throws AtelierError `prediction-job-not-found`, `illegal-transition`, `queue-full`, and the errors of the precondition */
    async resume(id: string, precondition?: Precondition<PredictionJob>) {
      const job = await jobs.resume(id, queueLimit, onMarked(precondition));
      queue.notify();
      return job;
    },
    /** @throws AtelierError `prediction-job-not-found`, `illegal-transition`, and the errors of the precondition */
    remove: (id: string, precondition?: Precondition<PredictionJob>) =>
      jobs.remove(id, onMarked(precondition)),

    /**
     * ETag of the result.
     * @throws AtelierError `prediction-job-not-found`; `illegal-transition` if the job has not succeeded
     */
    async resultTag(id: string, format: ResultFormat, hasAllClasses: boolean) {
      const { status } = await get(id);
      if (status === 'succeeded') return `"${id}-${format}${hasAllClasses ? '-all' : ''}"`;
      throw new AtelierError(
        'illegal-transition',
        `Prediction job ${id} is ${status}, so it has no result. ${RESULT_ADVICE[status]}.`,
      );
    },

    /**
     * Writes the result to a file that requests share.
     * @param hasAllClasses whether a CSV holds the probabilities of all classes
     * @throws AtelierError as `resultTag`; `storage-full`, `overloaded`
     */
    async result(id: string, format: ResultFormat, hasAllClasses: boolean, signal: AbortSignal) {
      const key = JSON.stringify([id, format, hasAllClasses]);
      return openShared(key, signal, async (path, abortSignal) => {
        const job = await get(id);
        // Files are deleted together: if the one read last exists, the other one was not missed.
        const labels = await jobs.digest(id, 'labels');
        const judgements = await jobs.digest(id, 'judgements');
        const probabilities = await jobs.digest(id, 'probabilities');
        if (probabilities === undefined) {
          throw new AtelierError('prediction-job-not-found', `Prediction job ${id} has just been deleted.`);
        }
        if (format === 'npy') return jobs.copyFile(probabilities, path).then(() => undefined);
        const copies = {
          probabilities: newFile(),
          labels: labels === undefined ? null : newFile(),
          judgements: judgements === undefined ? null : newFile(),
        };
        try {
          await jobs.copyFile(probabilities, copies.probabilities);
          if (labels !== undefined) await jobs.copyFile(labels, copies.labels!);
          if (judgements !== undefined) await jobs.copyFile(judgements, copies.judgements!);
          const task = {
            ...copies,
            images: job.images,
            classNames: job.classes!.map(({ className }) => className),
            hasAllClasses,
            target: path,
          };
          await numeric.run('writePredictionsTable', task, abortSignal);
        } finally {
          for (const copy of Object.values(copies)) if (copy !== null) await discard(copy);
        }
        return undefined;
      }).catch(async (error) => {
        // A file is missing: the job may have just been deleted.
        if (hasCode(error, 'state-unusable')) await get(id);
        throw error;
      });
    },
  };
}
