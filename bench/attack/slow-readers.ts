/** Attack: clients that read a large JSON export at a few kilobytes per second. */
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { npzBytes } from '../../src/formats/arrays/npz.ts';
import { residentMebibytes, startAtelier, withState } from '../measure/servers.ts';

const READERS = Number(process.argv[2] ?? 40);
const SECONDS = Number(process.argv[3] ?? 75);
/** 784-2000-1500-10 has 4.6 million parameters, and 97 MB as JSON. */
const LAYERS = [784, 2000, 1500, 10];

/** Parameters with many digits, in the names of scikit-learn. */
function modelFile(): Uint8Array {
  const tensors = LAYERS.slice(1).flatMap((units, n) => {
    const inputs = LAYERS[n]!;
    const random = (count: number) => Float32Array.from({ length: count }, () => (Math.random() - 0.5) / 20);
    return [
      { name: `coefs_${n}`, shape: [inputs, units], data: random(inputs * units) },
      { name: `intercepts_${n}`, shape: [units], data: random(units) },
    ];
  });
  return npzBytes(tensors);
}

/** Takes at most 64 KiB every five seconds, less than the minimum rate. */
function readSlowly(url: URL): Socket {
  const socket = connect(Number(url.port), url.hostname).on('error', () => {});
  const timer = setInterval(() => socket.read(), 5000);
  socket.on('close', () => clearInterval(timer)).pause();
  socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

/** Open sockets of a process. */
function countSockets(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  const isSocket = (name: string) => {
    try {
      return readlinkSync(`${folder}/${name}`).startsWith('socket:');
    } catch {
      return false;
    }
  };
  return readdirSync(folder).filter(isSocket).length;
}

await withState(async (state) => {
  const { url, pid, stop } = await startAtelier(state);
  try {
    const form = new FormData();
    form.append('name', 'large');
    form.append('file', new Blob([modelFile() as Uint8Array<ArrayBuffer>]), 'model.npz');
    const imported = await fetch(`${url}/v1/models`, { method: 'POST', body: form });
    if (imported.status !== 201) throw new Error(await imported.text());
    const path = new URL('/v1/models/large/versions/1/export?format=json', url);
    const { length } = Buffer.from(await (await fetch(path)).arrayBuffer());
    console.log(
      `export of ${(length / 1e6).toFixed(1)} MB; ${Math.round(residentMebibytes(pid))} MiB resident`,
    );
    const readers = Array.from({ length: READERS }, () => readSlowly(path));
    for (let second = 0; second < SECONDS; second += 5) {
      await wait(5000);
      const figures = `${countSockets(pid)} sockets, ${Math.round(residentMebibytes(pid))} MiB resident`;
      console.log(`${second + 5} s: ${figures}`);
    }
    for (const socket of readers) socket.destroy();
    const metrics = await (await fetch(`${url}/metrics`)).text();
    console.log(metrics.match(/^atelier_client_limits_total.*$/gm)?.join('\n') ?? '');
  } finally {
    await stop();
  }
});
