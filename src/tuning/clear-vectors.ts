/** Clears the upper halves of the vector registers, which the wide vectors of the kernel leave filled. */
import { isAscii } from 'node:buffer';

/** The 64 bytes of the widest vector register. */
const ZEROS = new Uint8Array(64);

/**
 * SSE instructions are slow on Intel processors while the upper halves are filled: each must keep the upper half of its
 * result, and waits for the instruction before. C++ compilers end a routine with wide vectors by VZEROUPPER, which clears
 * the halves; V8 does not. `isAscii` is the fastest such routine of Node.
 */
export function clearVectors(): void {
  isAscii(ZEROS);
}
