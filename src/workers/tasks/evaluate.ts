/** Evaluations and comparisons of models, computed by the kernel. */
import {
  type ClassificationReport,
  classificationReport,
} from '../../numerics/evaluation/classification-report.ts';
import { type Comparison, comparePredictions } from '../../numerics/evaluation/comparison.ts';
import { collectPredictions } from '../../numerics/evaluation/predictions.ts';
import { createKernelForward } from '../../numerics/simd/kernel-forward.ts';
import { kernelModule } from '../kernel.ts';
import type { ComparisonTask, EvaluationTask, ServedNetwork } from '../messages.ts';

/** @throws RangeError if the examples do not match the inputs and classes of the network, or are empty */
export function evaluateNetwork({ network, examples }: EvaluationTask): ClassificationReport {
  return classificationReport(predictExamples(network, examples), network.layerSizes.at(-1)!);
}

/** @throws RangeError if the examples do not match the inputs and classes of both networks, or are empty */
export function compareNetworks({ network, other, examples }: ComparisonTask): Comparison {
  const [first, second] = [predictExamples(network, examples), predictExamples(other, examples)];
  return comparePredictions(first, second, network.layerSizes.at(-1)!);
}

function predictExamples(
  { layerSizes, activation, parameters, standardization }: ServedNetwork,
  examples: EvaluationTask['examples'],
) {
  const { forward } = createKernelForward(kernelModule, layerSizes, activation, parameters, standardization);
  return collectPredictions(forward, examples, layerSizes[0]!, layerSizes.at(-1)!);
}
