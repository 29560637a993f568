/**
 * Head of a model card: metadata in YAML as the Hugging Face Hub reads it. Its `modelcard.md` (huggingface/hub-docs) defines
 * `model-index`: one result per task and data set, with its metrics.
 */
import type { Evaluation } from '../../../domain/checks/evaluation.ts';
import type { ModelCard } from '../../../domain/reports/model-card.ts';
import { writeYaml, type Yaml } from '../yaml.ts';

const TASK = 'image-classification';

export function writeHead({ version, dataset, evaluation }: ModelCard): string {
  const { name, version: number, lineage, tags } = version;
  return writeYaml({
    library_name: 'atelier',
    pipeline_tag: TASK,
    tags: [TASK, ...tags.filter((tag) => tag !== TASK)],
    datasets: lineage.dataset ? [lineage.dataset.id] : [],
    metrics: ['accuracy', 'f1'],
    // A model without results must have no index.
    ...(evaluation &&
      lineage.dataset && {
        'model-index': [
          {
            name: `${name}@${number}`,
            results: [
              {
                task: { type: TASK, name: 'Image classification' },
                dataset: {
                  type: lineage.dataset.id,
                  name: dataset?.name ?? lineage.dataset.id,
                  split: evaluation.split,
                  revision: lineage.dataset.digest,
                },
                metrics: describeMetrics(evaluation),
              },
            ],
          },
        ],
      }),
  });
}

function describeMetrics({ accuracy, loss, macroAverage, calibration }: Evaluation): Yaml[] {
  return [
    { type: 'accuracy', value: accuracy, name: 'Accuracy' },
    { type: 'f1', value: macroAverage.f1, name: 'F1, mean of the classes' },
    ...(loss === null ? [] : [{ type: 'loss', value: loss, name: 'Cross-entropy in nats' }]),
    {
      type: 'expected_calibration_error',
      value: calibration.expectedCalibrationError,
      name: 'Expected calibration error',
    },
  ];
}
