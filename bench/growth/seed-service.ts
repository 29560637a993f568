/** What is copied to fill a database: a training, a search, a prediction job, and uploaded data sets. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Search } from '../../src/domain/searches/representation.ts';
import { npyBytes } from '../../src/formats/arrays/npy.ts';
import { post, type Server, startJob, untilJob } from '../measure/servers.ts';

const EPOCHS = 10;
const DATASETS = 20;
const IMAGES = 20;
const PIXELS = 784;

export async function seedService({ url }: Server): Promise<void> {
  const id = await startJob(url, 'seed', EPOCHS);
  await untilJob(url, id, ({ status }) => status === 'succeeded');
  const search = await post<Search>(`${url}/v1/searches`, {
    dataset: 'fashion-mnist',
    modelName: 'seed-search',
    training: { epochs: 1 },
    vary: [{ path: '/training/optimizer/learningRate', choices: [0.01, 0.1] }],
  });
  await untilEnded(`${url}/v1/searches/${search.id}`);
  const request = { model: 'seed', dataset: 'fashion-mnist', split: 'test' };
  const prediction = await post<{ id: string }>(`${url}/v1/prediction-jobs`, request);
  await untilEnded(`${url}/v1/prediction-jobs/${prediction.id}`);
  for (let n = 0; n < DATASETS; n++) await upload(url, n);
}

async function untilEnded(url: string): Promise<void> {
  for (;;) {
    const { finishedAt } = (await (await fetch(url)).json()) as { finishedAt: string | null };
    if (finishedAt !== null) return;
    await wait(100);
  }
}

async function upload(url: string, n: number): Promise<void> {
  const pixels = Uint8Array.from({ length: IMAGES * PIXELS }, (_, k) => (k * (n + 1)) % 251);
  const labels = Uint8Array.from({ length: IMAGES }, (_, k) => k % 2);
  const form = new FormData();
  form.set('name', `Data set ${n}`);
  for (const split of ['train', 'test']) {
    form.set(`x_${split}`, new Blob([npyBytes(pixels, [IMAGES, PIXELS]).slice()]), 'x.npy');
    form.set(`y_${split}`, new Blob([npyBytes(labels, [IMAGES]).slice()]), 'y.npy');
  }
  const response = await fetch(`${url}/v1/datasets`, { method: 'POST', body: form });
  if (!response.ok) throw new Error(await response.text());
}
