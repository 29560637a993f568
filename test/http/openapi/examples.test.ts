import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { coverageReportSchema } from '../../../src/domain/checks/coverage.ts';
import { comparisonSchema, evaluationSchema } from '../../../src/domain/checks/evaluation.ts';
import { gradientCheckRequestSchema, gradientCheckSchema } from '../../../src/domain/checks/gradient.ts';
import { areasSchema, rankingSchema } from '../../../src/domain/checks/ranking.ts';
import { sgdPathSchema } from '../../../src/domain/checks/sgd-path.ts';
import { datasetReportSchema } from '../../../src/domain/datasets/report.ts';
import { checkedDatasetSchema, datasetSchema } from '../../../src/domain/datasets/representation.ts';
import { imageShapeSchema } from '../../../src/domain/image-shape.ts';
import { checkpointSchema } from '../../../src/domain/jobs/checkpoint.ts';
import { epochRecordSchema } from '../../../src/domain/jobs/epoch-record.ts';
import { deliverySchema, notifySchema } from '../../../src/domain/jobs/notify.ts';
import { trainingPreviewSchema } from '../../../src/domain/jobs/preview.ts';
import { jobChangesSchema } from '../../../src/domain/jobs/priority.ts';
import { resolvedTrainingRequestSchema, trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { jobEventSchema, receiptSchema, trainingJobSchema } from '../../../src/domain/jobs/training.ts';
import { webhookMessageSchema } from '../../../src/domain/jobs/webhook-message.ts';
import { aliasMoveSchema, aliasSchema } from '../../../src/domain/models/alias.ts';
import { calibrationRequestSchema, calibrationSchema } from '../../../src/domain/models/calibration.ts';
import { importOriginSchema } from '../../../src/domain/models/import.ts';
import {
  annotationsSchema,
  modelSchema,
  modelVersionSchema,
  versionCopySchema,
} from '../../../src/domain/models/representation.ts';
import { testSetSchema } from '../../../src/domain/models/test-set.ts';
import { diagnosisSchema } from '../../../src/domain/predictions/diagnosis.ts';
import { explanationSchema } from '../../../src/domain/predictions/explanation.ts';
import { predictionJobSchema } from '../../../src/domain/predictions/job.ts';
import { preprocessingSchema } from '../../../src/domain/predictions/preprocessing.ts';
import {
  type LabReport,
  labReportSchema,
  summarizeTraining,
} from '../../../src/domain/reports/lab-report.ts';
import {
  describeLimitations,
  describeUse,
  type ModelCard,
  modelCardSchema,
} from '../../../src/domain/reports/model-card.ts';
import {
  searchEventSchema,
  searchPreviewSchema,
  searchSchema,
  trialSchema,
} from '../../../src/domain/searches/representation.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import { writeCommand } from '../../../src/formats/documents/lab-report/command.ts';
import { problemSchema } from '../../../src/http/errors/problem.ts';
import { mlflowErrorSchema, protocolErrorSchema } from '../../../src/http/errors/protocol-errors.ts';
import { readExamples } from '../../../src/http/openapi/examples.ts';
import { shownModelSchema, shownVersionSchema } from '../../../src/http/responses/shown-models.ts';
import { exportedModelSchema } from '../../../src/http/routes/models/exports.ts';
import { listSchema } from '../../../src/http/validation/pagination.ts';
import { explainResponseSchema, livenessSchema } from '../../../src/protocols/kserve-v1/schema.ts';
import {
  inferResponseSchema,
  modelConfigSchema,
  modelMetadataSchema,
  modelReadinessSchema,
  modelStatisticsSchema,
  repositoryIndexSchema,
  serverMetadataSchema,
  serverReadinessSchema,
  statisticsSchema,
} from '../../../src/protocols/kserve-v2/schema.ts';
import { invocationResponseSchema } from '../../../src/protocols/mlflow/schema.ts';
import { predictionsSchema } from '../../../src/protocols/native/schema.ts';
import {
  modelStatusSchema,
  modelMetadataSchema as tensorflowMetadataSchema,
} from '../../../src/protocols/tensorflow/model-status.ts';
import { predictResponseSchema } from '../../../src/protocols/tensorflow/schema.ts';
import { storageSchema } from '../../../src/services/operations/storage.ts';
import { startService } from '../../support/start-service.ts';

const row = z.array(z.int().min(0).max(255)).length(28);
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Problem: problemSchema,
  Notify: notifySchema,
  NotifyState: deliverySchema,
  WebhookMessage: webhookMessageSchema,
  Dataset: datasetSchema,
  CheckedDataset: checkedDatasetSchema,
  DatasetReport: datasetReportSchema,
  ImageShape: imageShapeSchema,
  DatasetList: listSchema(datasetSchema),
  LabelledImage: z.object({ label: z.int(), className: z.string(), image: z.array(row).length(28) }),
  TrainingRequest: trainingRequestSchema,
  ResolvedTrainingRequest: resolvedTrainingRequestSchema,
  Receipt: receiptSchema,
  TrainingJob: trainingJobSchema,
  TrainingJobChanges: jobChangesSchema,
  TrainingJobList: listSchema(trainingJobSchema),
  EpochRecord: epochRecordSchema,
  EpochRecordList: z.object({ data: z.array(epochRecordSchema) }),
  JobEvent: jobEventSchema,
  JobEventList: listSchema(jobEventSchema),
  Checkpoint: checkpointSchema,
  CheckpointList: z.object({ data: z.array(checkpointSchema) }),
  ModelVersion: modelVersionSchema,
  ModelCard: modelCardSchema,
  ShownModelVersion: shownVersionSchema,
  ModelVersionList: listSchema(modelVersionSchema),
  ModelAnnotations: annotationsSchema,
  CalibrationRequest: calibrationRequestSchema,
  Calibration: calibrationSchema,
  Alias: aliasSchema,
  AliasMove: aliasMoveSchema,
  AliasTarget: z.object({ version: z.int() }),
  VersionCopy: versionCopySchema,
  AliasList: z.object({ data: z.array(aliasSchema), history: listSchema(aliasMoveSchema) }),
  ImportOrigin: importOriginSchema,
  ExportedModel: exportedModelSchema,
  Model: modelSchema,
  ShownModel: shownModelSchema,
  ModelList: listSchema(modelSchema),
  Predictions: predictionsSchema,
  Preprocessing: preprocessingSchema,
  PredictionJob: predictionJobSchema,
  PredictionJobList: listSchema(predictionJobSchema),
  SearchRequest: searchRequestSchema,
  Search: searchSchema,
  SearchList: listSchema(searchSchema),
  SearchPreview: searchPreviewSchema,
  Trial: trialSchema,
  Leaderboard: z.object({ data: z.array(trialSchema) }),
  SearchEvent: searchEventSchema,
  SearchEventList: listSchema(searchEventSchema),
  SgdPath: sgdPathSchema,
  LabReport: labReportSchema,
  TrainingPreview: trainingPreviewSchema,
  TestSetUse: testSetSchema,
  Evaluation: evaluationSchema,
  Ranking: rankingSchema,
  RankingAreas: areasSchema,
  CoverageReport: coverageReportSchema,
  Comparison: comparisonSchema,
  Explanation: explanationSchema,
  Diagnosis: diagnosisSchema,
  GradientCheckRequest: gradientCheckRequestSchema,
  GradientCheck: gradientCheckSchema,
  ProtocolError: protocolErrorSchema,
  MlflowError: mlflowErrorSchema,
  V2ServerMetadata: serverMetadataSchema,
  V2Readiness: serverReadinessSchema,
  V2ModelConfig: modelConfigSchema,
  V2ModelMetadata: modelMetadataSchema,
  V2ModelReadiness: modelReadinessSchema,
  V2InferResponse: inferResponseSchema,
  V2ModelStatistics: modelStatisticsSchema,
  V2Statistics: statisticsSchema,
  V2RepositoryIndex: repositoryIndexSchema,
  KserveLiveness: livenessSchema,
  KserveExplanations: explainResponseSchema,
  TensorflowPredictResponse: predictResponseSchema,
  TensorflowModelStatus: modelStatusSchema,
  TensorflowModelMetadata: tensorflowMetadataSchema,
  MlflowPredictions: invocationResponseSchema,
  Storage: storageSchema,
  Liveness: z.object({ live: z.literal(true) }),
  Readiness: z.object({
    ready: z.boolean(),
    checks: z.object({ database: z.boolean(), datasets: z.boolean(), accepting: z.boolean() }),
  }),
};

const { app } = await startService({ after });
const examples = await readExamples();

for (const [id, example] of Object.entries(examples)) {
  test(`the example of ${id} matches its schema`, () => {
    const schema = SCHEMAS[id];
    assert.ok(schema, `SCHEMAS has no ${id}`);
    (schema instanceof z.ZodObject ? schema.strict() : schema).parse(example);
  });
}

test('every component has an example, and every example a component', async () => {
  const components = Object.keys((await app.inject('/openapi.json')).json().components.schemas);
  assert.deepEqual(Object.keys(examples).toSorted(), components.toSorted());
});

test('the texts of the example report and model card are the texts that the service writes', () => {
  const { job, evaluation, summary, reproduce } = examples['LabReport'] as LabReport;
  assert.equal(summary, summarizeTraining(job, evaluation, false));
  assert.equal(reproduce?.repeat, writeCommand('', '/v1/training-jobs', { body: job.receipt!.request }));
  const { version, intendedUse, limitations } = examples['ModelCard'] as ModelCard;
  assert.equal(intendedUse, describeUse(version));
  assert.deepEqual(limitations, describeLimitations(null));
});

test('the example requests are accepted', async () => {
  const check = await app.inject({
    method: 'POST',
    url: '/v1/gradient-checks',
    payload: examples['GradientCheckRequest'] as object,
  });
  assert.equal(check.statusCode, 200, check.body);
  const job = await app.inject({
    method: 'POST',
    url: '/v1/training-jobs',
    payload: examples['TrainingRequest'] as object,
  });
  assert.equal(job.statusCode, 202, job.body);
});
