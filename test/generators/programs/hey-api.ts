/** Trains, polls and predicts with the client of @hey-api/openapi-ts. */
import { setTimeout } from 'node:timers/promises';
import { getTrainingJob, predict, startTrainingJob } from '../generated/hey-api';
import { client } from '../generated/hey-api/client.gen';

async function main(baseUrl: string): Promise<void> {
  client.setConfig({ baseUrl });
  const started = await startTrainingJob({
    body: { dataset: 'fashion-mnist', training: { epochs: 1 } },
    throwOnError: true,
  });
  let job = started.data;
  while (job.finishedAt === null) {
    await setTimeout(50);
    job = (await getTrainingJob({ path: { id: job.id }, throwOnError: true })).data;
  }
  if (!job.model) throw new Error(`The job is ${job.status}.`);
  const image = Array.from({ length: 784 }, () => 0);
  const predicted = await predict({ path: { name: job.model.name }, body: { image }, throwOnError: true });
  console.log(predicted.data.predictions[0]?.className);
}

void main(process.argv[2]!);
