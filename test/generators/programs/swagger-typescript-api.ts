/** Trains, polls and predicts with the client of swagger-typescript-api. */
import { setTimeout } from 'node:timers/promises';
import { Api } from '../generated/swagger-typescript-api/api';

async function main(baseUrl: string): Promise<void> {
  const { v1 } = new Api({ baseUrl });
  let job = (await v1.startTrainingJob({ dataset: 'fashion-mnist', training: { epochs: 1 } })).data;
  while (job.finishedAt === null) {
    await setTimeout(50);
    job = (await v1.getTrainingJob(job.id)).data;
  }
  if (!job.model) throw new Error(`The job is ${job.status}.`);
  const image = Array.from({ length: 784 }, () => 0);
  const predicted = await v1.predict(job.model.name, { image });
  console.log(predicted.data.predictions[0]?.className);
}

void main(process.argv[2]!);
