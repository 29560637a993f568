/** Trains, polls and predicts with the client and the zod schemas of orval. */
import { setTimeout } from 'node:timers/promises';
import { getTrainingJob, predictWithJson, startTrainingJob } from '../generated/orval/client';
import {
  GetTrainingJobResponse,
  PredictBody,
  PredictResponse,
  StartTrainingJobBody,
} from '../generated/orval/zod';

async function main(): Promise<void> {
  const request = { dataset: 'fashion-mnist', training: { epochs: 1 } };
  StartTrainingJobBody.parse(request);
  const started = await startTrainingJob(request);
  if (started.status !== 202) throw new Error(started.data.detail);
  let job = started.data;
  while (job.finishedAt === null) {
    await setTimeout(50);
    const polled = await getTrainingJob(job.id);
    if (polled.status !== 200) throw new Error(`The status is ${polled.status}.`);
    job = polled.data;
  }
  GetTrainingJobResponse.parse(job);
  if (!job.model) throw new Error(`The job is ${job.status}.`);
  const image = Array.from({ length: 784 }, () => 0);
  PredictBody.parse({ image });
  const predicted = await predictWithJson(job.model.name, { image });
  const { predictions } = PredictResponse.parse(predicted.data);
  console.log(predictions[0]?.className);
}

void main();
