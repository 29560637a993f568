/** Vectors of 256 bits, which WebAssembly does not have. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 then joins pairs of the kernel's 128-bit vectors where the processor has 256 bits: the same bits, sooner. Experimental.
 * To be called before the kernel is compiled; holds for all threads of the process.
 */
export function widenVectors(): void {
  setFlagsFromString('--experimental-wasm-revectorize');
  // Only its optimizing compiler does. Without the other, which comes first, each thread's check sees what will compute.
  setFlagsFromString('--no-liftoff');
}
