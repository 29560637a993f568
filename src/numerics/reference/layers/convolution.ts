/** Convolution of one example with 3×3 kernels, stride 1 and a border of zeros. */
import type { Volume } from '../../network/architecture.ts';
import { type BlockViews, createValues, type ReferenceLayer, type Values } from './interface.ts';

/** Weights of a kernel. */
const TAPS = 9;

/**
 * z[o, y, x] = c[o] + Σ_i Σ_ky Σ_kx K[o, i, ky, kx] · a[i, y + ky − 1, x + kx − 1], with a = 0 outside of the image.
 * This is PyTorch's conv2d with padding 1.
 * dK[o, i, ky, kx] = Σ_y Σ_x dz[o, y, x] · a[i, y + ky − 1, x + kx − 1];  dc[o] = Σ_y Σ_x dz[o, y, x].
 * da is the convolution of dz with the same kernels, each turned by 180°, from outputs to inputs.
 */
export function createConvolution(
  below: Values,
  input: Volume,
  outputs: number,
  { values: K, gradient: dK }: BlockViews,
  { values: c, gradient: dc }: BlockViews,
): ReferenceLayer {
  const { height, width, channels: inputs } = input;
  const plane = height * width;
  const values = createValues(outputs * plane);
  const { output: z, dOutput: dz } = values;
  const { output: a, dOutput: da } = below;
  // One plane with a border of zeros, so that every position has nine neighbours.
  const stride = width + 2;
  const bordered = new Float64Array((height + 2) * stride);

  /** Copies a plane that begins at `start` into the border. */
  function surround(planes: Float64Array, start: number): void {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) bordered[(y + 1) * stride + x + 1] = planes[start + y * width + x]!;
    }
  }

  /** Adds to a plane that begins at `start` the bordered plane, times the kernel from K[w] on, or backwards with step −1. */
  function addProduct(planes: Float64Array, start: number, w: number, step: 1 | -1): void {
    const [w0, w1, w2] = [K[w]!, K[w + step]!, K[w + 2 * step]!];
    const [w3, w4, w5] = [K[w + 3 * step]!, K[w + 4 * step]!, K[w + 5 * step]!];
    const [w6, w7, w8] = [K[w + 6 * step]!, K[w + 7 * step]!, K[w + 8 * step]!];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const top = y * stride + x;
        const middle = top + stride;
        const bottom = middle + stride;
        planes[start + y * width + x]! +=
          w0 * bordered[top]! +
          w1 * bordered[top + 1]! +
          w2 * bordered[top + 2]! +
          (w3 * bordered[middle]! + w4 * bordered[middle + 1]! + w5 * bordered[middle + 2]!) +
          (w6 * bordered[bottom]! + w7 * bordered[bottom + 1]! + w8 * bordered[bottom + 2]!);
      }
    }
  }

  /** Adds to the kernel of dK from w on the sums of the products of plane o of dz with the bordered plane. */
  function addKernelGradient(kernel: Float64Array, w: number, o: number): void {
    let [s0, s1, s2, s3, s4, s5, s6, s7, s8] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const d = dz[o * plane + y * width + x]!;
        const top = y * stride + x;
        const middle = top + stride;
        const bottom = middle + stride;
        s0 += d * bordered[top]!;
        s1 += d * bordered[top + 1]!;
        s2 += d * bordered[top + 2]!;
        s3 += d * bordered[middle]!;
        s4 += d * bordered[middle + 1]!;
        s5 += d * bordered[middle + 2]!;
        s6 += d * bordered[bottom]!;
        s7 += d * bordered[bottom + 1]!;
        s8 += d * bordered[bottom + 2]!;
      }
    }
    const sums = [s0, s1, s2, s3, s4, s5, s6, s7, s8];
    for (const [tap, sum] of sums.entries()) kernel[w + tap]! += sum;
  }

  return {
    ...values,
    forward() {
      for (let o = 0; o < outputs; o++) z.fill(c[o]!, o * plane, (o + 1) * plane);
      for (let i = 0; i < inputs; i++) {
        surround(a, i * plane);
        for (let o = 0; o < outputs; o++) addProduct(z, o * plane, (o * inputs + i) * TAPS, 1);
      }
    },
    backward() {
      da.fill(0);
      for (let o = 0; o < outputs; o++) {
        surround(dz, o * plane);
        for (let i = 0; i < inputs; i++) addProduct(da, i * plane, (o * inputs + i + 1) * TAPS - 1, -1);
      }
    },
    addGradient() {
      if (dK === null || dc === null) return;
      for (let p = 0; p < dz.length; p++) dc[Math.floor(p / plane)]! += dz[p]!;
      for (let i = 0; i < inputs; i++) {
        surround(a, i * plane);
        for (let o = 0; o < outputs; o++) addKernelGradient(dK, (o * inputs + i) * TAPS, o);
      }
    },
    addChange(block, index, delta) {
      if (block === 1) {
        for (let p = index * plane; p < (index + 1) * plane; p++) z[p]! += delta;
        return;
      }
      const [pair, tap] = [Math.floor(index / TAPS), index % TAPS];
      surround(a, (pair % inputs) * plane);
      const [start, shift] = [Math.floor(pair / inputs) * plane, Math.floor(tap / 3) * stride + (tap % 3)];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          z[start + y * width + x]! += delta * bordered[y * stride + x + shift]!;
        }
      }
    },
  };
}
