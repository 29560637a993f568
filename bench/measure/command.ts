/** Peers: separate processes that print their result as one line of JSON. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const ROOT = join(import.meta.dirname, '../..');
/** Debian's Python, with its packages; PYTHON selects another. */
export const PYTHON = process.env['PYTHON'] ?? '/usr/bin/python3';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** @param script relative to bench/ */
export function node(script: string, ...args: (string | number)[]): Command {
  return { program: process.execPath, args: [join(ROOT, 'bench', script), ...args.map(String)] };
}

/**
 * Environment for fast arithmetic with the given threads: OpenBLAS selects its kernels by the processor alone, and OpenMP's
 * threads sleep while they are waiting, since on a shared machine two spinning threads make PyTorch a hundred times slower.
 */
export function python(threads: number, script: string, ...args: (string | number)[]): Command {
  const env = {
    OPENBLAS_CORETYPE: undefined,
    OPENBLAS_L2_SIZE: undefined,
    OPENBLAS_NUM_THREADS: String(threads),
    OMP_NUM_THREADS: String(threads),
    OMP_WAIT_POLICY: 'passive',
  };
  return { program: PYTHON, args: [join(ROOT, 'bench', script), ...args.map(String)], env };
}

/** @throws Error with the error output when the process fails */
export async function runJson<T>({ program, args, env }: Command): Promise<T> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('close', resolve).on('error', reject),
  );
  const [output, complaint, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${complaint.trim()}`);
  return JSON.parse(output.trim().split('\n').at(-1)!) as T;
}

/** Version of each Python module, null if not installed. Without Python it is empty. */
export async function pythonVersions(...modules: string[]): Promise<Map<string, string | null>> {
  try {
    return new Map(
      Object.entries(
        await runJson<Record<string, string | null>>(python(1, 'peers/versions.py', ...modules)),
      ),
    );
  } catch {
    return new Map(modules.map((name) => [name, null]));
  }
}

/** Version of a package of bench/peers, null if not installed. */
export function nodeVersion(name: string): string | null {
  try {
    const manifest = createRequire(join(ROOT, 'bench/peers/package.json'))(`${name}/package.json`) as unknown;
    return (manifest as { version: string }).version;
  } catch {
    return null;
  }
}
