/** Trains, polls and predicts with the client of oazapfts. */
import { setTimeout } from 'node:timers/promises';
import { defaults, getTrainingJob, predict, startTrainingJob } from '../generated/oazapfts';

async function main(baseUrl: string): Promise<void> {
  defaults.baseUrl = baseUrl;
  const started = await startTrainingJob({ dataset: 'fashion-mnist', training: { epochs: 1 } });
  if (started.status !== 202) throw new Error(started.data.detail);
  let job = started.data;
  while (job.finishedAt === null) {
    await setTimeout(50);
    const polled = await getTrainingJob(job.id);
    if (polled.status !== 200) throw new Error(`The status is ${polled.status}.`);
    job = polled.data;
  }
  if (!job.model) throw new Error(`The job is ${job.status}.`);
  const image = Array.from({ length: 784 }, () => 0);
  const predicted = await predict(job.model.name, { image });
  if (predicted.status !== 200) throw new Error(predicted.data.detail);
  console.log(predicted.data.predictions[0]?.className);
}

void main(process.argv[2]!);
