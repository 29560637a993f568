/** Example of a prediction job: the test images of Fashion-MNIST. */
import { CLASS_NAMES } from '../../../datasets/fashion-mnist.ts';
import type { PredictionJob } from '../../../domain/predictions/job.ts';

/** Counts of the model that the service trains on its first start. */
const PREDICTED = [1043, 969, 1117, 1033, 1004, 946, 891, 997, 1013, 987];

export const predictionJob: PredictionJob = {
  id: 'prd_01M87ZJ9GPMXZJH0KH4EEVFZ6C',
  status: 'succeeded',
  waiting: null,
  model: { name: 'fashion-mnist', version: 1 },
  dataset: 'fashion-mnist',
  split: 'test',
  pixels: null,
  images: 10_000,
  progress: { images: 10_000, fraction: 1 },
  classes: PREDICTED.map((images, label) => ({ label, className: CLASS_NAMES[label]!, images })),
  correct: 8_667,
  accuracy: 0.8667,
  attempts: 1,
  createdAt: '2026-11-26T10:00:00.000Z',
  startedAt: '2026-11-26T10:00:00.010Z',
  finishedAt: '2026-11-26T10:00:00.250Z',
  error: null,
};
