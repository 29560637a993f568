/** Example of the preview of a training job. */
import type { TrainingPreview } from '../../../domain/jobs/preview.ts';

export const previewExample = (request: TrainingPreview['request']): TrainingPreview => ({
  request,
  network: { layerSizes: [784, 40, 10], parameters: 31810, multiplyAdds: 31760 },
  data: { train: 54000, validation: 6000, test: 10000, testSet: 'every-epoch' },
  steps: { perEpoch: 844, total: 8440 },
  memory: { bytes: 63871168, availableBytes: 16436709504, checkpointBytes: 127940 },
  time: {
    seconds: 1.5,
    low: 1.4,
    high: 1.9,
    trainingSeconds: 1.12,
    evaluationSeconds: 0.27,
    gradientCheckSeconds: 0.0166,
    startSeconds: 0.101,
    imagesPerSecond: 482000,
    basis: { kind: 'measured-here', jobs: 4, epochs: 20, ratio: 1.04 },
  },
  queue: { ahead: 1, startsInSeconds: 12.5 },
  warnings: [
    {
      code: 'more-threads-than-cores',
      message: '4 threads on 2 cores are slower than 2. The result is the same.',
    },
  ],
});
