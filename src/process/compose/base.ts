/** The parts that all subjects share: the state, memory, metrics, threads, and the catalog of data sets. */
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../../config/read.ts';
import { createCatalog } from '../../datasets/catalog.ts';
import type { DatasetSummary } from '../../domain/datasets/representation.ts';
import { createMetrics } from '../../http/metrics/registry.ts';
import { createEventSubscriptions, createSearchSubscriptions } from '../../services/events/subscribe.ts';
import { createWaitForEnd } from '../../services/events/wait-for-end.ts';
import { createCalibrationCache } from '../../services/inspection/calibrations.ts';
import type { MemoryLedger } from '../../services/memory/ledger.ts';
import { admitDataset } from '../../services/memory/limits.ts';
import { createModelCache } from '../../services/models/cache.ts';
import { createWaits } from '../../services/runs/waits.ts';
import { createStateSizes } from '../../store/blobs/sizes.ts';
import { kernelDigest } from '../../workers/kernel/bytes.ts';
import { KERNEL_NAME } from '../../workers/kernel/compile.ts';
import type { State } from '../state.ts';
import { buildThreads } from './threads.ts';

export type Base = Awaited<ReturnType<typeof buildBase>>;

export async function buildBase(options: {
  readonly config: Config;
  readonly log: FastifyBaseLogger;
  readonly memory: MemoryLedger;
  readonly state: State;
  readonly builtIn: readonly DatasetSummary[];
}) {
  const { config, log, memory, state, builtIn } = options;
  const { store, cluster, capacity } = state;
  const modelCache = createModelCache();
  const calibrationCache = createCalibrationCache();
  const waits = createWaits('storage');
  const readStateSizes = createStateSizes(config.stateDir);
  const metrics = createMetrics({
    kernel: { name: KERNEL_NAME, digest: kernelDigest() },
    modelCache: modelCache.counts,
    queueLimit: config.queueLimit,
    waitingForStorage: waits.count,
    readStateSizes,
    readJobs: store.readJobGauges,
    slots: () => capacity().slots,
    replicas: store.replicas && (() => store.replicas!.live().length),
    noticeMode: store.notices.mode,
  });
  const threads = buildThreads(metrics, memory);
  const { loads } = threads;
  const catalog = createCatalog({
    builtIn,
    uploaded: await store.datasets.list(),
    list: store.replicas && store.datasets.list,
    load: (dataset) =>
      builtIn.includes(dataset)
        ? loads.run('loadFashionMnist', { directory: config.dataDir!, digest: dataset.digest })
        : store.datasets.withFile(dataset, (path) => loads.run('loadDataset', { path, dataset })),
    admit: (dataset) => admitDataset(memory, dataset),
    maxBytes: config.maxDatasetBytes,
  });
  const caches = [catalog.cache, modelCache, calibrationCache, threads.trainings];
  for (const cache of caches) memory.addCache(cache);
  return {
    config,
    log,
    memory,
    builtIn,
    store,
    cluster,
    capacity,
    modelCache,
    calibrationCache,
    waits,
    readStateSizes,
    metrics,
    threads,
    catalog,
    services: {
      catalog,
      memory,
      metrics,
      subscribeEvents: createEventSubscriptions(store),
      subscribeSearchEvents: createSearchSubscriptions(store),
      waitForEnd: createWaitForEnd(store),
      rateLeases: store.rateLeases && {
        leases: store.rateLeases,
        replicas: () => store.replicas!.live().length,
      },
    },
  };
}
