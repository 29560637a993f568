/** The WebAssembly code of the kernel, not yet compiled. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const kernelBytes = readFileSync(new URL('../../numerics/simd/kernel.wasm', import.meta.url));

export const kernelDigest = () => `sha256:${hash('sha256', kernelBytes)}`;
