/** Thread entry: gradient checks, of the reference and of the kernel against it; evaluations; pictures of a network; its files. */
import type { Raster } from '../formats/drawing/raster.ts';
import { drawWeights } from '../formats/drawing/weights.ts';
import { computeImageStatistics, type ImageStatistics } from '../numerics/diagnosis/image-statistics.ts';
import { PLAIN_OBJECTIVE } from '../numerics/engine.ts';
import type { ClassificationReport } from '../numerics/evaluation/classification-report.ts';
import type { Comparison } from '../numerics/evaluation/comparison.ts';
import { gradientCheck } from '../numerics/gradient-check.ts';
import { initialize } from '../numerics/initialize.ts';
import { engineDifference } from '../numerics/kernel-check.ts';
import type { Parameters } from '../numerics/network.ts';
import { checkKernel, createKernelEngine, KERNEL_NAME } from './kernel.ts';
import type {
  ComparisonTask,
  EvaluationTask,
  ExplanationResult,
  ExplanationTask,
  ExportResult,
  ExportTask,
  GradientCheckResult,
  GradientCheckTask,
  ImageStatisticsTask,
  ImportResult,
  ImportTask,
  Outcome,
  WeightsTask,
} from './messages.ts';
import { toOutcome } from './serialize-error.ts';
import { compareNetworks, evaluateNetwork } from './tasks/evaluate.ts';
import { explainImage } from './tasks/explain.ts';
import { exportVerified } from './tasks/export.ts';
import { vectorAsNpy } from './tasks/gradient-check.ts';
import { importChecked } from './tasks/import.ts';
import { transferResult } from './transfer.ts';

checkKernel();

export default function checkGradient(task: GradientCheckTask): Promise<Outcome<GradientCheckResult>> {
  return toOutcome(() => {
    const startedAt = performance.now();
    const parameters = task.parameters ?? initialize(task.initialization, task.layerSizes, task.seed);
    const check = gradientCheck({ ...task, parameters });
    for (;;) {
      const { done, value } = check.next();
      if (!done) continue;
      const durationMs = performance.now() - startedAt;
      const kernel = { name: KERNEL_NAME, maxRelativeDifference: kernelDifference(task, parameters) };
      const { positions, analytic, numeric, ...report } = value;
      return { ...report, kernel, durationMs, npy: vectorAsNpy(task, { positions, analytic, numeric }) };
    }
  });
}

export function evaluate(task: EvaluationTask): Promise<Outcome<ClassificationReport>> {
  return toOutcome(() => evaluateNetwork(task));
}

export function compare(task: ComparisonTask): Promise<Outcome<Comparison>> {
  return toOutcome(() => compareNetworks(task));
}

export async function explain(task: ExplanationTask): Promise<Outcome<ExplanationResult>> {
  const outcome = await toOutcome(() => explainImage(task));
  return outcome.ok ? transferResult(outcome, [outcome.value.drawing.rgb]) : outcome;
}

export async function drawLayer({ network, ...query }: WeightsTask): Promise<Outcome<Raster>> {
  const outcome = await toOutcome(() => drawWeights(network.layerSizes, network.parameters, query));
  return outcome.ok ? transferResult(outcome, [outcome.value.rgb]) : outcome;
}

export async function exportFile(task: ExportTask): Promise<Outcome<ExportResult>> {
  const outcome = await toOutcome(() => exportVerified(task));
  return outcome.ok ? transferResult(outcome, [outcome.value.file]) : outcome;
}

export async function importFile(task: ImportTask): Promise<Outcome<ImportResult>> {
  const outcome = await toOutcome(() => importChecked(task));
  return outcome.ok ? transferResult(outcome, [outcome.value.parameters]) : outcome;
}

/** Takes about a second for 60,000 images. */
export function measureImages({ examples, classes }: ImageStatisticsTask): Promise<Outcome<ImageStatistics>> {
  return toOutcome(() => computeImageStatistics(examples, classes));
}

/** The gradient of the kernel that trains, on the same weights and images. */
function kernelDifference(task: GradientCheckTask, parameters: Parameters): number {
  const { layerSizes, activation, standardization, examples, indices, seed } = task;
  const settings = {
    ...PLAIN_OBJECTIVE,
    layerSizes,
    activation,
    standardization,
    batchSize: indices.length,
    seed,
    optimizer: { type: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 },
    clipNorm: null,
  } as const;
  return engineDifference(createKernelEngine, settings, parameters, examples, indices);
}
