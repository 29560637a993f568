/**
 * Checks the dependencies: each is pinned by its hash, none runs an install script without a decision in package.json, and
 * none used in production has a known serious vulnerability.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const lockFileSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});

/** @param decided packages with an install script that package.json allows or forbids */
export function lockFileFaults(lockFile: unknown, decided: readonly string[]): string[] {
  const { packages } = lockFileSchema.parse(lockFile);
  return Object.entries(packages).flatMap(([path, { resolved, integrity, hasInstallScript }]) => {
    if (path === '') return [];
    const name = path.replace(/^.*node_modules\//, '');
    const faults: string[] = [];
    if (!integrity?.startsWith('sha512-')) faults.push(`${name} has no SHA-512 in package-lock.json`);
    // The lock file of this project omits the address of packages from the registry.
    if (resolved !== undefined) faults.push(`${name} comes from ${resolved}, and not from the registry`);
    if (hasInstallScript && !decided.includes(name)) {
      faults.push(
        `${name} runs a script when it is installed: decide about it in allowScripts of package.json`,
      );
    }
    return faults;
  });
}

const reportSchema = z.object({
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string() })),
});

export type Verdict = { readonly kind: 'sound' | 'vulnerable' | 'not-asked'; readonly detail: string };

/** @param exitCode of `npm audit --json`; 1 also if the registry was unreachable, null if it was killed */
export function auditVerdict(exitCode: number | null, output: string): Verdict {
  const report = parse(output);
  if (report === undefined) return { kind: 'not-asked', detail: reasonIn(output) };
  if (exitCode === 0) return { kind: 'sound', detail: '' };
  const found = Object.entries(report.vulnerabilities).map(([name, { severity }]) => `${name} (${severity})`);
  return { kind: 'vulnerable', detail: found.join(', ') };
}

function parse(output: string): z.infer<typeof reportSchema> | undefined {
  try {
    return reportSchema.safeParse(JSON.parse(output)).data;
  } catch {
    return undefined;
  }
}

function reasonIn(output: string): string {
  return /"message": *"([^"]*)"/.exec(output)?.[1] ?? (output.trim().slice(0, 200) || 'no output');
}

const TIMEOUT_MS = 60_000;

/** Folders with a lock file of their own. */
export const FOLDERS = ['./', 'test/generators/'];

function main(): number {
  const read = (file: string) => JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));
  const faults = FOLDERS.flatMap((folder) => {
    const decided = Object.keys(read(`${folder}package.json`).allowScripts ?? {});
    return lockFileFaults(read(`${folder}package-lock.json`), decided).map((fault) => `${folder}: ${fault}`);
  });
  for (const fault of faults) console.error(fault);

  const args = [
    'audit',
    '--omit=dev',
    '--audit-level=high',
    '--json',
    '--fetch-retries=0',
    '--loglevel=silent',
  ];
  const { status, stdout } = spawnSync('npm', args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  const { kind, detail } = auditVerdict(status, stdout ?? '');
  if (kind === 'vulnerable')
    console.error(`Known vulnerabilities in production dependencies: ${detail}. Run npm audit for details.`);
  // Without network access, the other checks must still run.
  if (kind === 'not-asked')
    console.warn(`Dependencies were NOT audited, because the registry did not respond: ${detail}`);
  return faults.length > 0 || kind === 'vulnerable' ? 1 : 0;
}

if (import.meta.main) process.exitCode = main();
