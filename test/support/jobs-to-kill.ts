/** Training jobs sized by the number of kills they must survive, on any machine. */
import { type TrainingBody, tiny } from './start-service.ts';

/** Together they use every random choice, and all state that is carried between steps and between epochs. */
export function jobsToKill(kills: number): TrainingBody[] {
  const short = { validation: { fraction: 0.5 }, checkpointEverySeconds: 1 };
  return [
    tiny({
      modelName: 'one-thread',
      gradientCheck: true,
      network: { hidden: [24] },
      training: {
        ...short,
        epochs: 14 * kills,
        batchSize: 32,
        optimizer: { type: 'adam', learningRate: 0.003 },
        schedule: { type: 'plateau', factor: 0.7, patience: 3 },
        dropout: 0.2,
        augmentation: { horizontalFlip: true, shift: 2, noise: 0.05 },
      },
    }),
    tiny({
      modelName: 'two-threads',
      gradientCheck: true,
      network: { convolutions: [4], norm: 'group', hidden: [16, 12], activation: 'tanh' },
      // Else the measurement of all test images takes longer than the training of an epoch.
      testSet: 'once',
      training: {
        ...short,
        threads: 2,
        epochs: 10_000,
        optimizer: { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true },
        dropout: 0.1,
        standardize: true,
        clipNorm: 1,
        earlyStopping: { monitor: 'validationAccuracy', patience: kills, restoreBest: true },
      },
    }),
  ];
}
