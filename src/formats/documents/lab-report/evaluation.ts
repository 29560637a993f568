/** Section of a lab report about the test split: confusion, classes, reliability, mistakes. */

import { drawClassBars } from '../../../charts/class-bars.ts';
import { drawConfusions } from '../../../charts/confusions/most-frequent.ts';
import { drawReliability } from '../../../charts/reliability.ts';
import type { Evaluation } from '../../../domain/checks/evaluation.ts';
import { type Block, type Chart, decimal, prose, range, whole } from '../blocks.ts';
import { listScores } from '../facts.ts';
import type { ReportInput } from './input.ts';

const CONFUSION_SIZE = { width: 640, height: 480 };
const SIZE = { width: 460, height: 400 };

export function evaluationBlocks(input: ReportInput): Block[] {
  const { evaluation } = input.report;
  if (evaluation === null) return [];
  const { accuracy, accuracyInterval, examples, loss, mistakes } = evaluation;
  const { expectedCalibrationError } = evaluation.calibration;
  return [
    prose`Accuracy ${decimal(accuracy)} on ${whole(examples)} images, 95 % interval ${range(accuracyInterval)} (Wilson);
      mean cross-entropy ${decimal(loss)} nats; expected calibration error ${decimal(expectedCalibrationError)}.`,
    { kind: 'charts', charts: drawCharts(evaluation, input.basePath) },
    listScores(evaluation, input.report.areas),
    ...showMistakes(mistakes, input),
  ];
}

function drawCharts(evaluation: Evaluation, basePath: string): Chart[] {
  const { model, classes, confusionMatrix: matrix, calibration } = evaluation;
  const subtitle = `${model.name}@${model.version}`;
  const url = (plot: string) => `${basePath}/v1/models/${model.name}/versions/${model.version}/plots/${plot}`;
  const classNames = classes.map(({ className }) => className);
  const { bins, expectedCalibrationError } = calibration;
  return [
    {
      title: 'Plot: confusion matrix',
      url: url('confusion'),
      draw: (theme) =>
        drawConfusions({ ...evaluation, subtitle, classNames, matrix }, { ...CONFUSION_SIZE, theme }),
    },
    {
      title: 'Plot: precision, recall and F1 of each class',
      url: url('classes'),
      draw: (theme) => drawClassBars({ subtitle, classes }, { ...SIZE, theme }),
    },
    {
      title: 'Plot: reliability',
      url: url('calibration'),
      draw: (theme) => drawReliability({ subtitle, bins, expectedCalibrationError }, { ...SIZE, theme }),
    },
  ];
}

function showMistakes(mistakes: Evaluation['mistakes'], { pictures }: ReportInput): Block[] {
  if (mistakes.length === 0) return [];
  return [
    { kind: 'heading', title: `The ${mistakes.length} most confident mistakes` },
    {
      kind: 'images',
      isWide: false,
      images: mistakes.map((mistake, i) => ({
        alt: `Test image ${mistake.index}`,
        caption: `${mistake.className}, taken for ${mistake.predictedClassName} (${(100 * mistake.probability).toFixed(1)}\u00a0%)`,
        url: mistake.image,
        png: pictures?.mistakes[i] ?? null,
      })),
    },
  ];
}
