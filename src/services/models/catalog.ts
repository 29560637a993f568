/** Lists models and versions, and loads the version that a request refers to. */

import type { Catalog } from '../../datasets/catalog.ts';
import type { CheckpointRecord } from '../../domain/jobs/checkpoint.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { nearestName } from '../../domain/messages/nearest-name.ts';
import { architectureOf } from '../../domain/models/architecture.ts';
import { isJobId, type VersionName, type VersionReference } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { Preprocessing } from '../../domain/predictions/preprocessing.ts';
import { AtelierError, type ErrorCode, hasCode } from '../../errors.ts';
import type { Parameters } from '../../numerics/network/layers.ts';
import { kernelCost } from '../../numerics/simd/layers-layout.ts';
import { decodeCheckpoint } from '../../store/checkpoints/decode.ts';
import type { VersionQuery } from '../../store/models/filters.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { ServedNetwork } from '../../workers/kernel/compile.ts';
import { createForward } from '../../workers/kernel/compile.ts';
import { createModelCache, type ModelCache } from './cache.ts';
import type { LoadedModel } from './loaded-version.ts';

export type ModelService = ReturnType<typeof createModelService>;

/** Number of model names in an error message. */
const MAX_LISTED = 10;
/** Number of model names that are compared to find a suggestion. */
const MAX_COMPARED = 100;

const CUT_OFF_CHECK_MS = 250;

export function createModelService(
  store: Pick<Store, 'models' | 'blobs' | 'jobs' | 'checkpoints' | 'notices' | 'agreement'>,
  catalog: Catalog,
  cache: ModelCache = createModelCache(),
) {
  const { models, blobs, jobs, checkpoints, agreement } = store;
  let revision = 0;

  // Notices come from all processes, so a change by this process invalidates a second time.
  store.notices.on('models', (name) => {
    revision += 1;
    cache.doubt(name || undefined);
  });

  async function version(name: string, wanted?: VersionName): Promise<ModelVersion> {
    const found = await models.version(name, wanted);
    if (found) return found;
    throw new AtelierError('model-not-found', await describeMissing(name, wanted));
  }

  async function describeMissing(name: string, wanted?: VersionName): Promise<string> {
    const model = await models.get(name);
    if (model && typeof wanted === 'string') {
      const aliases = Object.entries(model.aliases).map(([alias, number]) => `${alias} (${number})`);
      return `Model ${name} has no alias ${wanted}; ${aliases.length > 0 ? `its aliases are: ${aliases.join(', ')}` : 'it has no aliases'}.`;
    }
    if (model) return `Model ${name} has no version ${wanted}; its newest is ${model.latest.version}.`;
    const names = await models.names(MAX_COMPARED);
    const nearest = nearestName(name, names);
    const listed = names.slice(0, MAX_LISTED).join(', ') + (names.length > MAX_LISTED ? ', …' : '');
    const suggestion = nearest ? `Did you mean ${nearest}? ` : '';
    const known = names.length > 0 ? `${suggestion}Existing models: ${listed}` : 'No models exist yet';
    const { data: running } = await jobs.list({ limit: 10, status: 'running' });
    const publishing = running.filter((job) => job.verification === null);
    const runningJobs = publishing.map((job) => `${job.id}, publishing ${job.modelName}`).join('; ');
    const runningNote = runningJobs && ` A training job is running: ${runningJobs}.`;
    return `Model ${name} does not exist. ${known}; a training job publishes a model when it succeeds.${runningNote}`;
  }

  async function readVersion(found: ModelVersion): Promise<Omit<LoadedModel, 'forward' | 'multiplyAdds'>> {
    const bytes = await blobs.get(found.digest);
    const { name, activation, standardization, classNames } = found;
    return {
      reference: { name, version: found.version },
      architecture: architectureOf(found),
      activation,
      standardization,
      parameters: copyToSharedMemory(new Float32Array(bytes.buffer)),
      classNames,
      datasetId: found.lineage.dataset?.id ?? null,
      preprocessing: found.preprocessing,
    };
  }

  /** The preprocessing of a job whose data set was deleted, if its model still exists. */
  async function publishedPreprocessing({ model }: TrainingJob): Promise<Preprocessing | null> {
    return (model && (await models.version(model.name, model.version))?.preprocessing) ?? null;
  }

  /** @throws AtelierError `checkpoint-not-found` */
  async function findCheckpoint(
    jobId: string,
    step: number,
  ): Promise<readonly [TrainingJob, CheckpointRecord]> {
    const job = await jobs.get(jobId);
    const all = job ? await checkpoints.list(jobId) : [];
    const found = all.find((checkpoint) => checkpoint.step === step);
    if (job && found) return [job, found];
    throw new AtelierError('checkpoint-not-found', describeNoCheckpoint(jobId, step, job && all));
  }

  async function readCheckpoint(
    job: TrainingJob,
    found: CheckpointRecord,
  ): Promise<Omit<LoadedModel, 'forward' | 'multiplyAdds'>> {
    const { snapshot, architecture, activation, standardization } = decodeCheckpoint(
      await checkpoints.read(found),
    );
    const dataset = await catalog.find(job.dataset);
    return {
      reference: { name: job.id, version: found.step },
      architecture,
      activation,
      standardization,
      parameters: copyToSharedMemory(snapshot.engine.average ?? snapshot.engine.parameters),
      // The data set of an ended job may have been deleted.
      classNames: dataset?.classNames ?? Array.from({ length: architecture.classes }, (_, n) => `${n}`),
      datasetId: job.dataset,
      preprocessing: dataset ? dataset.preprocessing : await publishedPreprocessing(job),
    };
  }

  async function loadFromStore(name: string, wanted?: VersionName): Promise<LoadedModel> {
    const load = cache.beginLookup(name, wanted);
    if (isJobId(name)) {
      // Before the cache is used, because the job may have been deleted since.
      const [job, found] = await findCheckpoint(name, Number(wanted));
      return load({ name, version: found.step }, async () => withForward(await readCheckpoint(job, found)));
    }
    const found = await version(name, wanted);
    try {
      return await load(found, async () => withForward(await readVersion(found)));
    } catch (error) {
      // If the version was deleted after it was resolved, the name now means another version, or none.
      const now = await version(name, wanted);
      if (now.version === found.version) throw error;
      return loadFromStore(name, wanted);
    }
  }

  /** Loads the version. If the database becomes unreachable, returns the one that the name meant last. */
  async function loadOrKeep(name: string, wanted?: VersionName): Promise<LoadedModel> {
    const kept = cache.findOutdated(name, wanted);
    const loading = loadFromStore(name, wanted);
    if (kept === undefined) return loading;
    const cutOff = Promise.withResolvers<LoadedModel>();
    // A statement whose packets are lost takes much longer than it takes to notice that.
    const timer = setInterval(() => agreement.isCutOff() && cutOff.resolve(kept), CUT_OFF_CHECK_MS).unref();
    try {
      return await Promise.race([loading, cutOff.promise]);
    } catch (error) {
      if (hasCode(error, 'storage-unavailable')) return kept;
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  function loaded(name: string, wanted?: VersionName): LoadedModel | undefined {
    if (agreement.isTrusted()) return cache.find(name, wanted);
    // While nothing can be read again, names keep their meaning: no process can move them either.
    return agreement.isCutOff() ? cache.findOutdated(name, wanted) : undefined;
  }

  function invalidate(gone: readonly VersionReference[] = []): void {
    revision += 1;
    cache.invalidate(gone);
  }

  return {
    list: models.list,
    /** References to the versions of one model or of all. */
    references: models.references,
    /** @throws AtelierError `model-not-found` */
    version,
    /** @throws AtelierError `model-not-found` */
    async get(name: string) {
      const model = await models.get(name);
      if (!model) throw new AtelierError('model-not-found', await describeMissing(name));
      return model;
    },
    /** @throws AtelierError `model-not-found` */
    async versions(name: string, query: VersionQuery) {
      await version(name);
      return models.versions(name, query);
    },
    /**
     * Loads a version, synchronously if it is in memory. If `version` is omitted, loads the champion, or the newest
     * version if the model has no champion. A job id as the name and a step as the version load a checkpoint.
     * @throws AtelierError `model-not-found`, `checkpoint-not-found`, `checkpoint-damaged`, `state-unusable`
     */
    load: (name: string, wanted?: VersionName) => loaded(name, wanted) ?? loadOrKeep(name, wanted),
    /** The version that `load` would return synchronously. */
    loaded,
    /**
     * Invalidates cached name resolution and lists in this process.
     * @param gone versions that were deleted
     */
    invalidate,
    /**
     * Invalidates them in all processes that share the database, and waits for it. Call after adding, moving, annotating or
     * deleting a version, an alias or the checkpoints of a job, before responding.
     */
    async invalidateEverywhere(gone?: readonly VersionReference[]) {
      invalidate(gone);
      await agreement.reach();
    },
    /** Number of invalidations: what was read before is current while this number is the same. */
    revision() {
      if (!agreement.isTrusted() && !agreement.isCutOff()) revision += 1;
      return revision;
    },
  };
}

/** Copies into shared memory, so that all threads use one copy. */
function copyToSharedMemory(parameters: Parameters): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(4 * parameters.length));
  copy.set(parameters);
  return copy;
}

/** @param all checkpoints of the job, if it exists */
function describeNoCheckpoint(
  jobId: string,
  step: number,
  all: readonly CheckpointRecord[] | undefined,
): string {
  if (!all) return `Training job ${jobId} does not exist.`;
  const steps = all.map((checkpoint) => checkpoint.step).join(', ') || 'none';
  return `Training job ${jobId} has no checkpoint of step ${step}; it has: ${steps}. While a job trains, the best, the last three and those that an unfinished job starts from are kept; then training.keepCheckpoints decides.`;
}

function withForward(network: Omit<LoadedModel, 'forward' | 'multiplyAdds'>): LoadedModel {
  return { ...network, forward: createForward(network), multiplyAdds: kernelCost(network.architecture) };
}

/** The parts of a model that a worker thread needs. */
export function servedNetwork(model: LoadedModel): ServedNetwork {
  const { reference, architecture, activation, standardization, parameters, classNames } = model;
  return { reference, architecture, activation, standardization, parameters, classNames };
}

const NOT_FOUND = new Set<ErrorCode>(['model-not-found', 'checkpoint-not-found']);

/**
 * Loads a model that a body names. Converts not-found errors to `unknown-model` (422): the path itself was found.
 * @throws AtelierError `unknown-model`
 */
export function loadNamed(
  models: ModelService,
  pointer: string,
  name: string,
  version?: VersionName,
): Promise<LoadedModel> {
  return findNamed({ pointer }, () => models.load(name, version));
}

/**
 * Converts not-found errors like `loadNamed`, for a name in any position, such as a query parameter.
 * @throws AtelierError `unknown-model`
 */
export async function findNamed<T>(
  position: { readonly pointer: string } | { readonly parameter: string },
  find: () => T | Promise<T>,
): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof AtelierError) || !NOT_FOUND.has(error.code)) throw error;
    throw new AtelierError('unknown-model', error.message, {
      details: [{ ...position, detail: 'must be an existing model' }],
    });
  }
}
