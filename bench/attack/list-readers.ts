/** Attack: 32 clients read long lists as fast as they can, while another one sends predictions. */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import autocannon from 'autocannon';
import { startAtelier, trainModel, withState } from '../measure/servers.ts';
import { quantile, readable } from '../measure/statistics.ts';
import { seed } from './seed.ts';
import { timedPredictions } from './timed-predictions.ts';

const READERS = 32;
const SECONDS = 6;
const REPEATS = 100;

/** User and system time of the whole process in milliseconds. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function cpuPerRequest(pid: number, url: string, headers: Record<string, string>): Promise<string> {
  const read = async () => (await fetch(url, { headers })).arrayBuffer();
  for (let n = 0; n < 20; n++) await read();
  const before = cpuMs(pid);
  for (let n = 0; n < REPEATS; n++) await read();
  return readable((cpuMs(pid) - before) / REPEATS);
}

await withState(async (state) => {
  const first = await startAtelier(state);
  await trainModel(first.url, 'served');
  await first.stop();
  const job = seed(state, { jobs: 100, versions: 10_000, epochs: 10_000 });
  const { url, pid, stop } = await startAtelier(state, { RATE_LIMIT_PER_MINUTE: '' });
  const describe = async (name: string, readers: string, load?: Promise<autocannon.Result>) => {
    const { latencies, failed } = await timedPredictions(
      `${url}/v1/models/served/predictions`,
      20,
      SECONDS - 1,
    );
    const result = await load;
    const [p50, p95] = [0.5, 0.95].map((q) => readable(quantile(latencies, q)));
    const read = result && `; lists: ${result['2xx']} served, ${result.non2xx} rejected`;
    console.log(`${name}: predictions p50 ${p50} ms, p95 ${p95} ms, ${failed} failed${read ?? ''}${readers}`);
  };
  try {
    await describe('no readers', '');
    for (const path of [
      '/v1/training-jobs?limit=100',
      '/v1/models/served/versions?limit=100',
      `/v1/training-jobs/${job}/metrics`,
      '/v1/models?limit=100',
    ]) {
      const response = await fetch(url + path);
      const bytes = (await response.arrayBuffer()).byteLength;
      const cpu = await cpuPerRequest(pid, url + path, {});
      const etag = response.headers.get('etag');
      const notModified = etag ? await cpuPerRequest(pid, url + path, { 'if-none-match': etag }) : '–';
      const load = autocannon({ url: url + path, connections: READERS, duration: SECONDS, workers: 1 });
      await wait(1000);
      await describe(
        path.replace(job, 'job'),
        `; ${readable(bytes / 1000)} kB, ${cpu} ms of processor per list, ${notModified} ms with If-None-Match`,
        load as unknown as Promise<autocannon.Result>,
      );
      await wait(3000);
    }
  } finally {
    await stop();
  }
});
