/**
 * Requests a second of raw-byte predictions, beside a bare Fastify route with the same body and an answer of the
 * same size. Both servers are up at once and take turns, so that a busy neighbour hits both.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import autocannon from 'autocannon';
import { describeMachine, median } from './machine.ts';

const ROUNDS = 5;
const SECONDS = 4;
const CONNECTIONS = 16;
const ROOT = join(import.meta.dirname, '..');

async function listen(
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], { env: { ...process.env, ...env } });
  child.stderr.pipe(process.stderr);
  for await (const line of createInterface(child.stdout)) {
    const address = /listening at (http:\S+?)["\s]|listening at (http:\S+)$/.exec(line);
    if (address) {
      child.stdout.resume();
      return [child, (address[1] ?? address[2])!];
    }
  }
  throw new Error(`${script} ended before it listened`);
}

async function untilPredicting(url: string, body: Buffer): Promise<string> {
  for (;;) {
    const response = await fetch(url, { method: 'POST', headers: HEADERS, body: new Uint8Array(body) });
    if (response.ok) return response.text();
    await wait(500);
  }
}

const HEADERS = { 'content-type': 'application/octet-stream' };
const state = mkdtempSync(join(tmpdir(), 'atelier-bench-'));
const [service, base] = await listen('src/main.ts', [], { PORT: '0', STATE_DIR: state });
const image = await fetch(`${base}/v1/datasets/fashion-mnist/splits/test/images/0`, {
  headers: { accept: 'application/octet-stream' },
});
const body = Buffer.from(await image.arrayBuffer());
const url = `${base}/v1/models/fashion-mnist/predictions`;
const answer = await untilPredicting(url, body);
const [bare, bareUrl] = await listen('bench/bare-fastify.ts', [answer], {});

const rates = new Map<string, number[]>([
  ['bare Fastify', []],
  ['Atelier', []],
]);
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, target] of [
    ['bare Fastify', bareUrl],
    ['Atelier', url],
  ] as const) {
    const result = await autocannon({
      url: target,
      method: 'POST',
      headers: HEADERS,
      body,
      connections: CONNECTIONS,
      duration: SECONDS,
    });
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${name}: not every request was answered`);
    // The first round warms up.
    if (round > 0) rates.get(name)!.push(result.requests.average);
  }
}
for (const child of [service, bare]) child.kill('SIGTERM');
rmSync(state, { recursive: true, force: true });

const base_ = median(rates.get('bare Fastify')!);
const rows = Array.from(rates, ([name, values]) => {
  const rate = median(values);
  return `| ${name} | ${Math.round(rate)} | ${((100 * rate) / base_).toFixed(0)} % |`;
});
const table = [
  '# Raw-byte predictions over HTTP',
  '',
  `${describeMachine()}; ${CONNECTIONS} connections, median of ${ROUNDS} rounds of ${SECONDS} s in turns, answer of ${answer.length} bytes.`,
  '',
  '| server | requests/s | of bare Fastify |',
  '|---|---:|---:|',
  ...rows,
  '',
].join('\n');
writeFileSync(join(ROOT, 'bench/results/predictions.md'), table);
console.log(table);
