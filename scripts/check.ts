/**
 * Runs the scripts `check:*` of package.json in the current folder, two at a time. All run, even if one fails.
 * usage: node scripts/check.ts
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Most checks use one core. */
const AT_A_TIME = 2;

// That of test/runners/run.ts: several checks load the service, and the tests do so afterwards.
process.env['NODE_COMPILE_CACHE'] = resolve('node_modules/.cache/tests');

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
const waiting = Object.keys(scripts).filter((name) => name.startsWith('check:'));
const failed: string[] = [];

async function run(name: string): Promise<void> {
  const start = performance.now();
  const child = spawn(process.execPath, ['--run', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) failed.push(name);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  // In one piece, so that the outputs of two checks do not mix.
  process.stdout.write(`${code === 0 ? '✔' : '✖'} ${name} ${seconds} s\n${Buffer.concat(output)}`);
}

async function runWaiting(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await run(name);
}

await Promise.all(Array.from({ length: AT_A_TIME }, runWaiting));
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
