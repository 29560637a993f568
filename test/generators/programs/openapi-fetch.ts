/** Trains, polls and predicts with openapi-fetch and the types of openapi-typescript. */
import { setTimeout } from 'node:timers/promises';
import createClient from 'openapi-fetch';
import type { paths } from '../generated/openapi-typescript';

async function main(baseUrl: string): Promise<void> {
  const client = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl });
  const started = await client.POST('/v1/training-jobs', {
    body: { dataset: 'fashion-mnist', training: { epochs: 1 } },
  });
  if (!started.data) throw new Error(started.error.detail);
  let job = started.data;
  while (job.finishedAt === null) {
    await setTimeout(50);
    const polled = await client.GET('/v1/training-jobs/{id}', { params: { path: { id: job.id } } });
    if (!polled.data) throw new Error(polled.error?.detail);
    job = polled.data;
  }
  if (!job.model) throw new Error(`The job is ${job.status}.`);
  const image = Array.from({ length: 784 }, () => 0);
  const predicted = await client.POST('/v1/models/{name}/predictions', {
    params: { path: { name: job.model.name } },
    body: { image },
  });
  console.log(predicted.data?.predictions[0]?.className);
}

void main(process.argv[2]!);
