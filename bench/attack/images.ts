/**
 * Attack: small files that decode to large images, with ?fit=contain.
 * usage: node bench/attack/images.ts [SIDE …], sides of the square images in pixels; by default 7070 and 4096
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { describeMachine } from '../machine.ts';
import {
  cancelJob,
  isUnderway,
  type Server,
  startAtelier,
  trainModel,
  untilJob,
  withState,
} from '../measure/servers.ts';
import { quantile, readable } from '../measure/statistics.ts';

const PREDICTIONS = '/v1/models/served/predictions';
const LEAVING = { clients: 500, afterMs: 300 };
const WAITING_CLIENTS = 1000;
const MEMORY_CLIENTS = 32;
/** Time until abandoned work shows. */
const WATCH_MS = 40_000;

type Format = 'webp' | 'jpeg' | 'png';

/** One colour, so that the file is small; interlaced or progressive, so that the decoder holds all of it. */
async function makeImage(format: Format, side: number): Promise<Buffer> {
  const plain = { width: side, height: side, channels: 3, background: '#c86432' } as const;
  const image = sharp({ create: plain, limitInputPixels: false });
  if (format === 'webp') return image.webp({ lossless: true }).toBuffer();
  if (format === 'jpeg')
    return image.jpeg({ progressive: true, chromaSubsampling: '4:4:4', quality: 100 }).toBuffer();
  return image.png({ progressive: true, compressionLevel: 9 }).toBuffer();
}

/** @returns status and milliseconds; "no response" after the timeout of fetch, five minutes */
async function predict(
  server: Server,
  type: string,
  body: Uint8Array,
  query = '',
): Promise<[status: string, milliseconds: number]> {
  const startedAt = performance.now();
  const status = await fetch(`${server.url}${PREDICTIONS}${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: Buffer.from(body),
  }).then(
    async (response) => {
      await response.arrayBuffer();
      return String(response.status);
    },
    () => 'no response',
  );
  return [status, performance.now() - startedAt];
}

/** Sends a request and closes the connection without reading the response. */
function sendAndLeave({ url }: Server, type: string, body: Uint8Array, afterMs: number): void {
  const { hostname, port } = new URL(url);
  const head = `POST ${PREDICTIONS}?fit=contain HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const socket = connect(Number(port), hostname, () =>
    socket.write(Buffer.concat([Buffer.from(head), body])),
  );
  socket.on('error', () => {});
  setTimeout(() => socket.destroy(), afterMs);
}

/** Latencies of a 28×28 PNG, one request after the other, until `stop` resolves. */
async function probePng(server: Server, png: Uint8Array, stop: Promise<unknown>): Promise<number[]> {
  const latencies: number[] = [];
  let stopped = false;
  void stop.then(() => {
    stopped = true;
  });
  while (!stopped) {
    latencies.push((await predict(server, 'image/png', png))[1]);
    await wait(100);
  }
  return latencies;
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakMebibytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

async function longestCheckpointGap(server: Server, id: string, from: number): Promise<number> {
  let [last, longest, after] = [from, 0, 0];
  for (;;) {
    const url = `${server.url}/v1/training-jobs/${id}/events?after=${after}`;
    const { data } = (await (await fetch(url)).json()) as {
      data: { id: number; type: string; at: string }[];
    };
    if (data.length === 0) return Math.max(longest, Date.now() - last) / 1000;
    after = data.at(-1)!.id;
    for (const { type, at } of data) {
      const time = Date.parse(at);
      if (type !== 'checkpoint' || time < from) continue;
      longest = Math.max(longest, time - last);
      last = time;
    }
  }
}

const seconds = (ms: number) => `${readable(ms / 1000)} s`;

/** Clients that leave, beside a training job. */
async function leave(server: Server, body: Buffer, png: Buffer): Promise<string[]> {
  const response = await fetch(`${server.url}/v1/training-jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      dataset: 'fashion-mnist',
      modelName: 'trained',
      training: { epochs: 10_000, checkpointEverySeconds: 1 },
    }),
  });
  const { id } = (await response.json()) as { id: string };
  await untilJob(server.url, id, isUnderway);
  await wait(3000);
  const [startedAt, before] = [Date.now(), cpuSeconds(server.pid)];
  for (let n = 0; n < LEAVING.clients; n++) sendAndLeave(server, 'image/webp', body, LEAVING.afterMs);
  await wait(2 * LEAVING.afterMs);
  const watched = wait(WATCH_MS);
  const probes = probePng(server, png, watched);
  const [status, rawMs] = await predict(server, 'application/octet-stream', new Uint8Array(784));
  await watched;
  const pngMs = await probes;
  const gap = await longestCheckpointGap(server, id, startedAt);
  const cpu = cpuSeconds(server.pid) - before;
  await cancelJob(server.url, id);
  return [
    `raw prediction of a model not in memory: ${status} after ${seconds(rawMs)}`,
    `28×28 PNG: p50 ${seconds(quantile(pngMs, 0.5))}, longest ${seconds(Math.max(...pngMs))}, ${pngMs.length} requests`,
    `longest time between checkpoints: ${readable(gap)} s`,
    `processor time in ${readable((Date.now() - startedAt) / 1000)} s, with the job: ${readable(cpu)} s`,
  ];
}

async function stay(server: Server, body: Buffer, png: Buffer): Promise<string[]> {
  const startedAt = performance.now();
  const all = Promise.all(
    Array.from({ length: WAITING_CLIENTS }, () => predict(server, 'image/webp', body, '?fit=contain')),
  );
  await wait(2 * LEAVING.afterMs);
  const [status, rawMs] = await predict(server, 'application/octet-stream', new Uint8Array(784));
  const pngMs = await probePng(server, png, all);
  const counts = Object.groupBy(await all, ([code]) => code);
  const codes = Object.entries(counts).map(([code, list]) => `${list!.length} × ${code}`);
  return [
    `responses: ${codes.join(', ')}, the last after ${seconds(performance.now() - startedAt)}`,
    `raw prediction of a model not in memory: ${status} after ${seconds(rawMs)}`,
    `28×28 PNG: p50 ${seconds(quantile(pngMs, 0.5))}, longest ${seconds(Math.max(...pngMs))}`,
  ];
}

async function fill(server: Server, format: Format, body: Buffer): Promise<string[]> {
  const idle = peakMebibytes(server.pid);
  const sent = Array.from({ length: MEMORY_CLIENTS }, () =>
    predict(server, `image/${format}`, body, '?fit=contain'),
  );
  const responses = await Promise.all(sent);
  const served = responses.filter(([status]) => status === '200').length;
  return [
    `${served} of ${MEMORY_CLIENTS} served; peak memory ${readable(idle)} → ${readable(peakMebibytes(server.pid))} MiB`,
  ];
}

async function attack(
  state: string,
  title: string,
  run: (server: Server) => Promise<string[]>,
): Promise<void> {
  const server = await startAtelier(state);
  try {
    console.log([title, ...(await run(server))].join('\n  '));
  } finally {
    await server.stop();
  }
}

const sides = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [7070, 4096];
console.log(describeMachine());
await withState(async (state) => {
  const first = await startAtelier(state);
  await trainModel(first.url, 'served');
  await first.stop();
  const png = await sharp({ create: { width: 28, height: 28, channels: 3, background: '#888' } })
    .png()
    .toBuffer();
  for (const side of sides) {
    const webp = await makeImage('webp', side);
    const size = `${side}×${side}`;
    const bytes = readable(webp.length);
    await attack(state, `${LEAVING.clients} clients leave, WebP of ${size}, ${bytes} bytes`, (server) =>
      leave(server, webp, png),
    );
    await attack(state, `${WAITING_CLIENTS} clients wait, the same WebP`, (server) =>
      stay(server, webp, png),
    );
    for (const format of ['png', 'jpeg'] as const) {
      const image = await makeImage(format, side);
      const name = format === 'png' ? 'interlaced PNG' : 'progressive JPEG';
      await attack(state, `${MEMORY_CLIENTS} at once, ${name} of ${size}`, (server) =>
        fill(server, format, image),
      );
    }
  }
});
