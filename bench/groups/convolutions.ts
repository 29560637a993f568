/** Networks with convolutions: training and predictions, compared with PyTorch, TensorFlow.js and ONNX Runtime. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLASS_NAMES } from '../../src/datasets/fashion-mnist.ts';
import { exportModel } from '../../src/formats/models/export.ts';
import { parametersDigest } from '../../src/formats/models/metadata.ts';
import { type Architecture, architectureText } from '../../src/numerics/network/architecture.ts';
import { initialize } from '../../src/numerics/network/initialize.ts';
import { median } from '../machine.ts';
import { node, nodeVersion, python, pythonVersions, ROOT, runJson } from '../measure/command.ts';
import { requestsPerSecond } from '../measure/load.ts';
import type { Goal, Report, Table } from '../measure/report.ts';
import { startAtelier, startServer, withState } from '../measure/servers.ts';
import { readable, spread } from '../measure/statistics.ts';
import { type Contestant, type Effort, takeTurns } from '../measure/turns.ts';
import { parseLayers } from '../subjects/parse-layers.ts';
import { compareMedians, measureTrainings, type Participant, threads } from './training.ts';

interface Network {
  readonly name: string;
  readonly layers: string;
  readonly batchSize: number;
  /** Training images of an epoch of the benchmark. */
  readonly images: number;
  /** Smallest ratio to PyTorch with one thread and with two. */
  readonly goals: readonly [number, number];
}

const NETWORKS: readonly Network[] = [
  { name: 'A', layers: '(16)-(32)-128', batchSize: 64, images: 12_800, goals: [2.4, 4] },
  { name: 'B', layers: '(32 32)-(64 64)-256', batchSize: 128, images: 2560, goals: [1.3, 1.4] },
];
const DATA = join(ROOT, 'data');
const RAW = { 'content-type': 'application/octet-stream' };
const OURS = 'Atelier kernel, wide vectors';
const [MANY, RUNTIME] = ['Atelier, 10,000 images in one request', 'ONNX Runtime, forward pass alone'];
const [ONE, ONE_RUNTIME] = [
  'Atelier, one image a request',
  'Fastify + onnxruntime-node, one image a request',
];

export async function convolutions(effort: Effort): Promise<Report> {
  const versions = await pythonVersions('torch', 'onnx', 'onnxruntime');
  const [torch, onnx, runtime] = ['torch', 'onnx', 'onnxruntime'].map((name) => versions.get(name));
  const hasRuntime = Boolean(onnx && runtime);
  const [tensorflow, nodeRuntime] = ['@tensorflow/tfjs', 'onnxruntime-node'].map(nodeVersion);
  const tables: Table[] = [];
  const goals: Goal[] = [];
  for (const network of NETWORKS) {
    const { table, medians } = await measureTrainings(
      `Training of network ${network.name}: 28×28-${network.layers}-10, batch ${network.batchSize}, momentum 0.9`,
      participants(network, effort, { torch, tensorflow }),
      effort,
    );
    tables.push(table);
    for (const [i, count] of [1, 2].entries()) {
      const [who, peer] = [`${OURS}, ${threads(count)}`, `PyTorch, ${threads(count)}`];
      const what = `${network.name}: training ÷ PyTorch, ${threads(count)}`;
      goals.push(compareMedians(medians, [who], [peer], what, network.goals[i]!));
    }
    const served = await measurePredictions(network, effort, {
      runtime: hasRuntime,
      server: hasRuntime && nodeRuntime !== null,
    });
    tables.push(served.table);
    const ratio = (what: string, ours: string, theirs: string) =>
      goals.push(compareMedians(served.medians, [ours], [theirs], `${network.name}: ${what}`, 1));
    ratio('10,000 images in one request ÷ ONNX Runtime’s forward pass', MANY, RUNTIME);
    ratio('one image a request ÷ Fastify + onnxruntime-node', ONE, ONE_RUNTIME);
  }
  const absent = Object.entries({ PyTorch: torch, 'TensorFlow.js': tensorflow, 'ONNX Runtime': hasRuntime });
  return {
    title: 'Convolutions',
    method:
      `Training: images per second of float32 steps, as in training.md, over ${effort.epochs} passes of ${NETWORKS.map(({ name, images }) => `${images.toLocaleString('en')} images (${name})`).join(' or ')}, ` +
      'of which the first warms up. PyTorch has channels last and threads that sleep while they wait, its fastest setting here. Predictions: freshly initialized networks, raw bytes, 10,000 test images; ONNX Runtime with the best ' +
      `of three batch sizes, two threads like the service. Medians of ${effort.rounds} alternating turns. TensorFlow.js cannot train convolutions in WebAssembly; the row of network A is its CPU backend, three steps; a step of B takes it about a minute.`,
    versions: [
      `PyTorch ${torch}`,
      `ONNX Runtime ${runtime}`,
      `onnxruntime-node ${nodeRuntime}`,
      `TensorFlow.js ${tensorflow}`,
    ].filter((text) => !/null|undefined/.test(text)),
    skipped: absent.filter(([, version]) => !version).map(([name]) => `${name} (not installed)`),
    tables,
    goals,
  };
}

function participants(
  { name, layers, batchSize, images }: Network,
  { epochs }: Effort,
  versions: Record<'torch' | 'tensorflow', string | null | undefined>,
): Participant[] {
  const args = [DATA, layers, batchSize, epochs, 0.9, 0, images];
  return [
    ...[1, 2].flatMap((count): Participant[] => [
      {
        name: `PyTorch, ${threads(count)}`,
        version: versions.torch,
        command: python(count, 'peers/torch_training.py', ...args),
      },
      {
        name: `${OURS}, ${threads(count)}`,
        version: '',
        command: node('subjects/training.ts', 'wide', count, ...args),
      },
    ]),
    {
      name: 'Atelier kernel, 1 thread',
      version: '',
      command: node('subjects/training.ts', 'kernel', 1, ...args),
    },
    // A step of network B takes it about a minute.
    ...(name === 'A'
      ? [
          {
            name: 'TensorFlow.js, CPU backend',
            version: versions.tensorflow,
            command: node('peers/tfjs-convolutions.ts', DATA, layers, batchSize),
          },
        ]
      : []),
  ];
}

async function measurePredictions(
  { name, layers }: Network,
  effort: Effort,
  has: { readonly runtime: boolean; readonly server: boolean },
): Promise<{ readonly table: Table; readonly medians: ReadonlyMap<string, number> }> {
  return withState(async (state) => {
    const architecture = parseLayers(layers, 784, CLASS_NAMES.length);
    const parameters = Float32Array.from(initialize('he', architecture, 1));
    const [packed, file] = [join(state, 'parameters.f32'), join(state, 'network.onnx')];
    writeFileSync(packed, parameters);
    if (has.runtime)
      await runJson(python(1, 'peers/write_onnx.py', packed, file, architectureText(architecture)));
    await using stack = new AsyncDisposableStack();
    const atelier = await startAtelier(join(state, 'service'));
    stack.defer(() => atelier.stop());
    await upload(atelier.url, architecture, parameters);
    const url = `${atelier.url}/v1/models/served/predictions`;
    const images = readFileSync(join(DATA, 'fashion_mnist_test_images.npy')).subarray(-7_840_000);
    const load = (to: string, body: Uint8Array, connections: number) =>
      requestsPerSecond({ url: to, headers: RAW, body, connections, seconds: effort.loadSeconds });
    const one = images.subarray(0, 784);
    const contestants: Contestant<number>[] = [
      { name: MANY, measure: () => imagesPerSecond(url, images) },
      { name: ONE, measure: () => load(url, one, 16) },
    ];
    if (has.runtime) {
      const command = python(2, 'peers/onnx_forward.py', file, DATA);
      contestants.push({
        name: RUNTIME,
        measure: async () => (await runJson<{ imagesPerSecond: number }>(command)).imagesPerSecond,
      });
    }
    if (has.server) {
      const server = await startServer(node('peers/onnx-fastify.ts', file, JSON.stringify(CLASS_NAMES)));
      stack.defer(() => server.stop());
      contestants.push({ name: ONE_RUNTIME, measure: () => load(server.url, one, 16) });
    }
    const results = await takeTurns(contestants, effort.rounds);
    const rows = Array.from(results, ([who, rates]) => [who, ...spread(rates)]);
    const heading = `Predictions of network ${name}`;
    return {
      table: { heading, columns: ['who', 'images/s', 'smallest – largest'], rows },
      medians: new Map(Array.from(results, ([who, rates]) => [who, median(rates)])),
    };
  });
}

/** Of three requests of 10,000 images, one after another, npy back: one may take longer than a turn of load. */
async function imagesPerSecond(url: string, images: Uint8Array<ArrayBuffer>): Promise<number> {
  const headers = { ...RAW, accept: 'application/x-npy' };
  const rates: number[] = [];
  for (let i = 0; i < 3; i++) {
    const startedAt = performance.now();
    const response = await fetch(url, { method: 'POST', headers, body: images });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`The prediction failed with status ${response.status}.`);
    rates.push(10_000 / ((performance.now() - startedAt) / 1000));
  }
  return median(rates);
}

async function upload(url: string, architecture: Architecture, parameters: Float32Array): Promise<void> {
  const model = { architecture, activation: 'relu', standardization: null, parameters } as const;
  const names = { name: 'served', version: 1, classNames: CLASS_NAMES, preprocessing: null };
  const digest = parametersDigest(parameters);
  const bytes = exportModel({ ...model, ...names, digest }, 'safetensors');
  const form = new FormData();
  form.set('name', 'served');
  form.set('file', new Blob([Buffer.from(bytes)]), 'served.safetensors');
  const response = await fetch(`${url}/v1/models`, { method: 'POST', body: form });
  if (!response.ok)
    throw new Error(`The model was not imported: ${readable(response.status)} ${await response.text()}`);
}
