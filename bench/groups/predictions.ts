/** Predictions over HTTP, compared with a bare route and other servers of the same network. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { CLASS_NAMES } from '../../src/datasets/fashion-mnist.ts';
import { median } from '../machine.ts';
import { ROOT } from '../measure/command.ts';
import { GENERATOR, requestsPerSecond } from '../measure/load.ts';
import type { Report, Table } from '../measure/report.ts';
import { type Server, startAtelier, trainModel, withState } from '../measure/servers.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Contestant, type Effort, takeTurns } from '../measure/turns.ts';
import { forwardMicroseconds } from './forward.ts';
import { startPeers } from './prediction-peers.ts';
import { compareProcessorTime } from './processor-time.ts';

const CONNECTIONS = 16;
const RAW = { 'content-type': 'application/octet-stream' };
const JSON_BODY = { 'content-type': 'application/json' };
const PNG = { 'content-type': 'image/png' };
const NPY = { 'content-type': 'application/x-npy', accept: 'application/x-npy' };
const BARE = 'bare Fastify route';

export function predictions(effort: Effort): Promise<Report> {
  return withState(async (state) => {
    const directory = mkdtempSync(join(tmpdir(), 'atelier-onnx-'));
    const atelier = await startAtelier(state);
    const peerServers = new Map<string, Server>();
    try {
      const { digest } = await trainModel(atelier.url, 'served');
      const parameters = join(state, 'blobs', digest!.slice('sha256:'.length));
      const url = `${atelier.url}/v1/models/served/predictions`;
      const raw = await testImage(atelier.url, 'application/octet-stream');
      const response = await (await fetch(url, { method: 'POST', headers: RAW, body: raw })).text();
      const peers = await startPeers(
        { parameters, directory, response, classNames: CLASS_NAMES, raw },
        peerServers,
      );
      const load = (
        to: string,
        headers: Record<string, string>,
        body: Uint8Array,
        connections = CONNECTIONS,
      ) => requestsPerSecond({ url: to, headers, body, connections, seconds: effort.loadSeconds });
      const bare = peerServers.get(BARE)!.url;
      const json = Buffer.from(JSON.stringify({ image: Array.from(raw) }));
      const png = await testImage(atelier.url, 'image/png');
      const many = readFileSync(join(ROOT, 'data/fashion_mnist_test_images.npy'));

      const rates = await measure(effort, [
        ...Array.from(peerServers, ([name, server]) => ({
          name: `raw bytes: ${name}`,
          measure: () => load(server.url, RAW, raw),
        })),
        { name: 'raw bytes: Atelier', measure: () => load(url, RAW, raw) },
        { name: `JSON: ${BARE}`, measure: () => load(bare, JSON_BODY, json) },
        { name: 'JSON: Atelier', measure: () => load(url, JSON_BODY, json) },
        { name: 'PNG: sharp decodes, no HTTP', measure: () => decodesPerSecond(png, effort.loadSeconds) },
        { name: 'PNG: Atelier', measure: () => load(url, PNG, png) },
        {
          name: 'npy of 10,000 images, npy back: Atelier, images/s',
          measure: async () => 10_000 * (await load(url, NPY, many, 1)),
        },
      ]);
      const processorTime = await compareProcessorTime(
        { name: BARE, server: peerServers.get(BARE)!, url: bare },
        { name: 'Atelier', server: atelier, url },
        { headers: RAW, body: raw },
        effort,
      );
      const forward = await forwardMicroseconds(parameters, effort);
      const rate = (name: string) => median(rates.get(name)!);
      const onnx = rates.get('raw bytes: Fastify + onnxruntime-node');
      const fraction = (kind: string) => (100 * rate(`${kind}: Atelier`)) / rate(`${kind}: ${BARE}`);
      return {
        title: 'Predictions',
        method:
          `784-40-10, one image per request unless stated; ${CONNECTIONS} connections (1 for 10,000 images), load by ${GENERATOR} ` +
          `on the same machine, ${effort.loadSeconds} s per turn, median of ${effort.rounds} turns after one to warm up. All ` +
          `servers run at once and are measured in turn; responses are similar, ${response.length} bytes.`,
        versions: peers.versions,
        skipped: peers.skipped,
        tables: [ratesTable(rates, fraction), processorTime.table, forward.table],
        goals: [
          { what: 'raw bytes, % of a bare route', measured: fraction('raw bytes'), atLeast: 60 },
          {
            what: 'raw bytes, % of Fastify + onnxruntime-node',
            measured: onnx && (100 * rate('raw bytes: Atelier')) / median(onnx),
            atLeast: 100,
          },
          { what: 'JSON, % of a bare route', measured: fraction('JSON'), atLeast: 60 },
          {
            what: 'PNG, % of sharp',
            measured: (100 * rate('PNG: Atelier')) / rate('PNG: sharp decodes, no HTTP'),
            atLeast: 85,
          },
          ...processorTime.goals,
          {
            what: '10,000 images in one request, images/s',
            measured: rate('npy of 10,000 images, npy back: Atelier, images/s'),
            atLeast: 600_000,
          },
          { what: 'forward pass of one image, µs', measured: forward.kernel, atMost: 2 },
        ],
      };
    } finally {
      await Promise.all([atelier, ...peerServers.values()].map((server) => server.stop()));
      rmSync(directory, { recursive: true });
    }
  });
}

async function measure(effort: Effort, contestants: readonly Contestant<number>[]) {
  await takeTurns(contestants, 1);
  return takeTurns(contestants, effort.rounds);
}

function ratesTable(rates: ReadonlyMap<string, number[]>, fraction: (kind: string) => number): Table {
  const rows = Array.from(rates, ([name, values]) => {
    const kind = name.split(':')[0]!;
    const compared = name.endsWith(': Atelier') && rates.has(`${kind}: ${BARE}`);
    return [name, ...spread(values), compared ? `${readable(fraction(kind))} %` : ''];
  });
  return {
    heading: 'Over HTTP',
    columns: ['what', 'requests/s', 'smallest – largest', 'of a bare route'],
    rows,
  };
}

async function testImage(url: string, accept: string): Promise<Uint8Array<ArrayBuffer>> {
  const image = await fetch(`${url}/v1/datasets/fashion-mnist/splits/test/images/0`, { headers: { accept } });
  return new Uint8Array(await image.arrayBuffer());
}

/** Decodes as many images at once as there are connections. */
async function decodesPerSecond(png: Uint8Array, seconds: number): Promise<number> {
  const startedAt = performance.now();
  let decoded = 0;
  const decode = async () => {
    while (performance.now() - startedAt < seconds * 1000) {
      await sharp(png).raw().toBuffer();
      decoded++;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, decode));
  return (1000 * decoded) / (performance.now() - startedAt);
}
