/** Servers to compare Atelier's predictions with. */
import { join } from 'node:path';
import { node, nodeVersion, python, pythonVersions, runJson } from '../measure/command.ts';
import { type Server, startServer } from '../measure/servers.ts';

export interface Peers {
  readonly servers: ReadonlyMap<string, Server>;
  readonly versions: readonly string[];
  readonly skipped: readonly string[];
}

interface Setting {
  /** File of Atelier's parameters, which the peers serve too. */
  readonly parameters: string;
  /** Path of the ONNX file to write. */
  readonly directory: string;
  /** Atelier's response to `raw`. */
  readonly answer: string;
  readonly raw: Uint8Array<ArrayBuffer>;
  readonly classNames: readonly string[];
}

interface Answer {
  readonly predictions: readonly { readonly label: number; readonly probability: number }[];
}

export async function startPeers({
  parameters,
  directory,
  answer,
  raw,
  classNames,
}: Setting): Promise<Peers> {
  const servers = new Map([['bare Fastify route', await startServer(node('peers/bare-fastify.ts', answer))]]);
  const found = await pythonVersions('onnx', 'onnxruntime', 'fastapi', 'uvicorn', 'uvloop', 'httptools');
  const runtime = nodeVersion('onnxruntime-node');
  const [withNode, withPython] = ['Fastify + onnxruntime-node', 'FastAPI + onnxruntime'];
  const versions: string[] = [];
  const missing = Array.from(found.keys()).filter((name) => found.get(name) === null);
  const skipped: string[] = [];
  if (missing.includes('onnx')) {
    skipped.push(`${withNode}, ${withPython} (Python's onnx, which writes their network, is not installed)`);
    return { servers, versions, skipped };
  }
  const file = join(directory, 'network.onnx');
  await runJson(python(1, 'peers/write_onnx.py', parameters, file, 784, 40, 10));

  const names = JSON.stringify(classNames);
  if (runtime === null) skipped.push(`${withNode} (not installed)`);
  else {
    servers.set(withNode, await startServer(node('peers/onnx-fastify.ts', file, names)));
    versions.push(`onnxruntime-node ${runtime}`);
  }
  if (missing.length > 0) skipped.push(`${withPython} (not installed: ${missing.join(', ')})`);
  else {
    servers.set(withPython, await startServer(python(1, 'peers/onnx_fastapi.py', file, names)));
    const used = ['fastapi', 'uvicorn', 'uvloop', 'onnxruntime'];
    versions.push(`Python ${used.map((name) => `${name} ${found.get(name)}`).join(', ')}`);
  }
  for (const [name, server] of servers) await compare(name, server, raw, JSON.parse(answer) as Answer);
  return { servers, versions, skipped };
}

/** @throws Error when a peer's predictions differ from Atelier's, so that it serves another network. */
async function compare(
  name: string,
  { url }: Server,
  raw: Uint8Array<ArrayBuffer>,
  ours: Answer,
): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream' };
  const theirs = (await (await fetch(url, { method: 'POST', headers, body: raw })).json()) as Answer;
  const [a, b] = [ours.predictions[0]!, theirs.predictions[0]!];
  if (a.label === b.label && Math.abs(a.probability - b.probability) < 1e-4) return;
  throw new Error(`${name} predicts ${JSON.stringify(b)}, Atelier ${JSON.stringify(a)}`);
}
