/**
 * `npm run node:verify`: compares the Node binary of the lock file with the official release of the same version.
 * The npm packages `node-linux-*` are built by volunteers, so their hash in package-lock.json pins the binary but does not
 * show where it comes from. The release is trusted as its SHASUMS256.txt is served over TLS; its signature is not checked.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorMessage } from '../src/store/blobs/directory.ts';

const DIST = 'https://nodejs.org/dist';
const TIMEOUT_MS = 5 * 60_000;
const MAX_BINARY_BYTES = 2 ** 28;

export interface InstalledNode {
  readonly version: string;
  readonly arch: string;
  readonly binary: Uint8Array;
}

export type Verdict = { readonly kind: 'equal' | 'differs' | 'not-compared'; readonly detail: string };

/** @param dist address under which a folder per version, such as `v24.21.0`, has the releases and their checksums */
export async function compareWithRelease(installed: InstalledNode, dist = DIST): Promise<Verdict> {
  const { version, arch, binary } = installed;
  const name = `node-v${version}-linux-${arch}`;
  const archive = `${name}.tar.gz`;
  try {
    const folder = `${dist}/v${version}`;
    const sums = Buffer.from(await download(`${folder}/SHASUMS256.txt`)).toString();
    const published = new RegExp(`^([0-9a-f]{64}) +${archive}$`, 'm').exec(sums)?.[1];
    if (published === undefined)
      return { kind: 'differs', detail: `SHASUMS256.txt does not list ${archive}` };
    const bytes = await download(`${folder}/${archive}`);
    const found = sha256(bytes);
    if (found !== published) {
      return { kind: 'differs', detail: `${archive} has SHA-256 ${found}, but ${published} is published` };
    }
    const official = sha256(extract(bytes, `${name}/bin/node`));
    const actual = sha256(binary);
    if (actual === official) return { kind: 'equal', detail: `SHA-256 ${official}` };
    return { kind: 'differs', detail: `the binary has SHA-256 ${actual}, but the release has ${official}` };
  } catch (error) {
    return { kind: 'not-compared', detail: errorMessage(error) };
  }
}

async function download(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause) => {
    throw new Error(`${url} cannot be reached (${cause.cause?.code ?? cause.message})`, { cause });
  });
  if (!response.ok) throw new Error(`${url} returned ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function extract(archive: Uint8Array, path: string): Uint8Array {
  const { status, stdout, stderr } = spawnSync('tar', ['-xzOf', '-', path], {
    input: archive,
    maxBuffer: MAX_BINARY_BYTES,
  });
  if (status !== 0) throw new Error(`tar cannot extract ${path}: ${String(stderr)}`);
  return stdout;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function main(): Promise<number> {
  const { arch } = process;
  const folder = new URL(`../node_modules/node-linux-${arch}/`, import.meta.url);
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  const binary = readFileSync(new URL('bin/node', folder));
  const { kind, detail } = await compareWithRelease({ version, arch, binary });
  if (kind === 'equal') console.log(`The binary of node-linux-${arch} equals Node ${version}: ${detail}.`);
  // Without network access, everything else must still run.
  if (kind === 'not-compared')
    console.warn(`The binary of node-linux-${arch} was NOT compared with Node ${version}: ${detail}.`);
  if (kind === 'differs')
    console.error(`The binary of node-linux-${arch} is not Node ${version}'s: ${detail}.`);
  return kind === 'differs' ? 1 : 0;
}

if (import.meta.main) process.exitCode = await main();
