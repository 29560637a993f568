/** Example of a lab report. */
import type { EpochRecord } from '../../../domain/jobs/epoch-record.ts';
import { type LabReport, summarizeTraining } from '../../../domain/reports/lab-report.ts';
import { writeCommand } from '../../../formats/documents/lab-report/command.ts';
import { inspectionExamples } from './inspections.ts';

export function reportExample({
  epoch,
  ...report
}: Pick<LabReport, 'job' | 'dataset' | 'gradientCheck' | 'testSet'> & {
  readonly epoch: EpochRecord;
}): LabReport {
  const { job, dataset } = report;
  const evaluation = inspectionExamples.Evaluation;
  const path = `/v1/training-jobs/${job.id}`;
  return {
    summary: summarizeTraining(job, evaluation, false),
    ...report,
    examples: [
      {
        label: 9,
        className: 'Ankle boot',
        index: 0,
        image: `/v1/datasets/${dataset?.id}/splits/train/images/0`,
      },
    ],
    search: null,
    trials: [],
    epochs: [epoch],
    warnings: [],
    evaluation,
    path: null,
    reproduce: {
      repeat: writeCommand('', '/v1/training-jobs', { body: job.receipt!.request }),
      verify: writeCommand('', `${path}/verify`, { method: 'POST' }),
    },
    omitted: [
      {
        section: 'path',
        reason: 'The request has path=false.',
        curl: writeCommand('', `${path}/plots/path`, { output: 'path.svg' }),
      },
    ],
  };
}
