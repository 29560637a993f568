/** Servers to compare Atelier's predictions with. */
import { join } from 'node:path';
import { node, nodeVersion, python, pythonVersions, runJson } from '../measure/command.ts';
import { type Server, startServer } from '../measure/servers.ts';

export interface Peers {
  readonly versions: readonly string[];
  readonly skipped: readonly string[];
}

interface Served {
  /** File of Atelier's parameters. The peers serve the same ones. */
  readonly parameters: string;
  /** Folder for the ONNX file. */
  readonly directory: string;
  /** Atelier's response to `raw`. */
  readonly response: string;
  readonly raw: Uint8Array<ArrayBuffer>;
  readonly classNames: readonly string[];
}

interface Predictions {
  readonly predictions: readonly { readonly label: number; readonly probability: number }[];
}

const [NODE_SERVER, PYTHON_SERVER] = ['Fastify + onnxruntime-node', 'FastAPI + onnxruntime'];

/** @param servers receives each server at its start, so the caller stops all of them even if a later one fails */
export async function startPeers(
  { parameters, directory, response, raw, classNames }: Served,
  servers: Map<string, Server>,
): Promise<Peers> {
  servers.set('bare Fastify route', await startServer(node('peers/bare-fastify.ts', response)));
  const modules = await pythonVersions('onnx', 'onnxruntime', 'fastapi', 'uvicorn', 'uvloop', 'httptools');
  const missing = Array.from(modules.keys()).filter((name) => modules.get(name) === null);
  const versions: string[] = [];
  const skipped: string[] = [];
  if (missing.includes('onnx')) {
    skipped.push(
      `${NODE_SERVER}, ${PYTHON_SERVER} (Python's onnx, which writes their network, is not installed)`,
    );
    return { versions, skipped };
  }
  const file = join(directory, 'network.onnx');
  const threads = 1;
  await runJson(python(threads, 'peers/write_onnx.py', parameters, file, '784-40-10'));

  const names = JSON.stringify(classNames);
  const runtime = nodeVersion('onnxruntime-node');
  if (runtime === null) skipped.push(`${NODE_SERVER} (not installed)`);
  else {
    servers.set(NODE_SERVER, await startServer(node('peers/onnx-fastify.ts', file, names)));
    versions.push(`onnxruntime-node ${runtime}`);
  }
  if (missing.length > 0) skipped.push(`${PYTHON_SERVER} (not installed: ${missing.join(', ')})`);
  else {
    servers.set(PYTHON_SERVER, await startServer(python(threads, 'peers/onnx_fastapi.py', file, names)));
    const used = ['fastapi', 'uvicorn', 'uvloop', 'onnxruntime'];
    versions.push(`Python ${used.map((name) => `${name} ${modules.get(name)}`).join(', ')}`);
  }
  for (const [name, server] of servers) await compare(name, server, raw, JSON.parse(response) as Predictions);
  return { versions, skipped };
}

/** @throws Error if a peer's predictions differ from Atelier's: it then serves another network */
async function compare(
  name: string,
  { url }: Server,
  raw: Uint8Array<ArrayBuffer>,
  ours: Predictions,
): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  const theirs = (await (await fetch(url, { method: 'POST', headers, body: raw })).json()) as Predictions;
  const [a, b] = [ours.predictions[0]!, theirs.predictions[0]!];
  if (a.label === b.label && Math.abs(a.probability - b.probability) < 1e-4) return;
  throw new Error(`${name} predicts ${JSON.stringify(b)}, Atelier ${JSON.stringify(a)}`);
}
