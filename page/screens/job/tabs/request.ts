/** The request of a job, to start the same training again. */
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { links } from '../../../router.ts';
import { settingOfRequest } from '../../train/constants.ts';
import { formatSetting } from '../../train/form/setting.ts';

export function rebuildRequest(job: TrainingJob) {
  const { dataset, modelName, seed, metadata, network, training } = job;
  const { gradientCheck, warmStart, publish, testSet, priority } = job;
  return {
    dataset,
    modelName,
    seed,
    metadata,
    network,
    training,
    gradientCheck,
    warmStart,
    publish,
    testSet,
    priority,
  };
}

/** The form with the options of a request already filled in. */
export const trainLink = (request: object): string => links.train(formatSetting(settingOfRequest(request)));
