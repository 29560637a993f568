/** Models: the registry, import and export, evaluation, inspection, and explanation. */
import { createCalibrationService } from '../../services/inspection/calibrations.ts';
import { createEvaluationService } from '../../services/inspection/evaluations.ts';
import { createGradientCheckService } from '../../services/inspection/gradient-checks.ts';
import { createInterpretabilityService } from '../../services/inspection/interpretability.ts';
import { createSgdPathService } from '../../services/inspection/sgd-paths.ts';
import { createStatisticsCache } from '../../services/inspection/statistics-cache.ts';
import { createModelService } from '../../services/models/catalog.ts';
import { createExportService } from '../../services/models/exports.ts';
import { createImportService } from '../../services/models/imports.ts';
import { createModelRegistryService } from '../../services/models/registry.ts';
import { createTestSetService } from '../../services/models/test-sets.ts';
import { createImageDecoder } from '../../services/predictions/image-decoder.ts';
import { createImagePreparer } from '../../services/predictions/prepare-images.ts';
import { createModelCardService } from '../../services/reports/model-cards.ts';
import { createLoadDistillation } from '../../services/training/teachers.ts';
import type { Base } from './base.ts';

export type Models = ReturnType<typeof buildModels>;

export function buildModels(base: Base) {
  const { config, log, store, catalog, memory, modelCache, calibrationCache, threads, metrics } = base;
  const { numeric } = threads;
  const models = createModelService(store, catalog, modelCache);
  const { loadDistillation, hasTargets } = createLoadDistillation(models, threads.comparisons);
  const loadStatistics = createStatisticsCache(catalog, numeric);
  const prepareImages = createImagePreparer(
    threads.predict,
    createImageDecoder(memory, config.maxImagePixels),
  );
  const calibrations = createCalibrationService(store, catalog, models, numeric, log, calibrationCache);
  const onPublished = config.calibratePublished ? calibrations.calibratePublished : () => {};
  const evaluations = createEvaluationService(catalog, models, numeric, store.looks, calibrations);
  const testSets = createTestSetService(store, catalog);
  return {
    loadDistillation,
    hasTargets,
    loadStatistics,
    prepareImages,
    onPublished,
    services: {
      models,
      registry: createModelRegistryService(store, models, metrics.predictions.forget),
      exports: createExportService(models, numeric, store.temporaryFiles),
      imports: createImportService({ store, catalog, models, numeric, onPublished }),
      evaluations,
      calibrations,
      testSets,
      cards: createModelCardService({ store, catalog, models, evaluations, testSets }),
      gradients: createGradientCheckService(
        catalog,
        models,
        { numeric, background: threads.longChecks },
        metrics.onGradientCheck,
      ),
      sgdPaths: createSgdPathService(catalog, models, numeric, loadDistillation),
      interpretability: createInterpretabilityService(
        models,
        numeric,
        loadStatistics,
        calibrations,
        prepareImages,
        metrics.onDiagnosed,
      ),
    },
  };
}
