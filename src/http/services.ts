/** The services that the HTTP application needs. */
import type { Catalog } from '../datasets/catalog.ts';
import type { ApiKeyService } from '../services/api-keys.ts';
import type { ReadEncodedJson } from '../services/encoded-json.ts';
import type { EvaluationService } from '../services/evaluations.ts';
import type { ExportService } from '../services/exports.ts';
import type { GradientCheckService } from '../services/gradient-checks.ts';
import type { HealthService } from '../services/health.ts';
import type { IdempotencyService } from '../services/idempotency.ts';
import type { DecodeFiles } from '../services/image-decoder.ts';
import type { ImportService } from '../services/imports.ts';
import type { InferenceStatistics } from '../services/inference-statistics.ts';
import type { InterpretabilityService } from '../services/interpretability.ts';
import type { MemoryLedger } from '../services/memory-ledger.ts';
import type { ModelRegistryService } from '../services/model-registry.ts';
import type { ModelService } from '../services/models.ts';
import type { PlotService } from '../services/plots.ts';
import type { PredictionJobService } from '../services/prediction-jobs.ts';
import type { PredictionService } from '../services/predictions.ts';
import type { SgdPathService } from '../services/sgd-paths.ts';
import type { StorageService } from '../services/storage.ts';
import type { SubscribeEvents } from '../services/subscribe-events.ts';
import type { TestSetService } from '../services/test-sets.ts';
import type { TrainingService } from '../services/training.ts';
import type { UploadedDatasetService } from '../services/uploaded-datasets.ts';
import type { WaitForEnd } from '../services/wait-for-end.ts';
import type { Metrics } from './metrics/registry.ts';
import type { LeaseSource } from './plugins/leased-calls.ts';

export interface Services {
  readonly apiKeys: ApiKeyService;
  readonly catalog: Catalog;
  readonly uploads: UploadedDatasetService;
  readonly training: TrainingService;
  readonly subscribeEvents: SubscribeEvents;
  readonly waitForEnd: WaitForEnd;
  readonly idempotency: IdempotencyService;
  readonly gradients: GradientCheckService;
  readonly models: ModelService;
  readonly registry: ModelRegistryService;
  readonly decodeFiles: DecodeFiles;
  readonly readEncodedJson: ReadEncodedJson;
  readonly predictions: PredictionService;
  readonly predictionJobs: PredictionJobService;
  readonly statistics: InferenceStatistics;
  readonly exports: ExportService;
  readonly imports: ImportService;
  readonly evaluations: EvaluationService;
  readonly testSets: TestSetService;
  readonly interpretability: InterpretabilityService;
  readonly sgdPaths: SgdPathService;
  readonly plots: PlotService;
  readonly health: HealthService;
  readonly metrics: Metrics;
  readonly storage: StorageService;
  readonly memory: MemoryLedger;
  /** Counts the rate limit over all replicas; without it, this process is the only one. */
  readonly rateLeases?: LeaseSource | undefined;
}
