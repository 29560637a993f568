/** Group normalization of one example (Wu and He, ECCV 2018). */
import { GROUP_CHANNELS, type Volume, volumeSize } from '../../network/architecture.ts';
import { type BlockViews, createValues, type ReferenceLayer, type Values } from './interface.ts';

/** Added to the variance, as in PyTorch. */
const EPSILON = 1e-5;

/**
 * y = γ_c x̂ + β_c with x̂ = (x − m) r and r = 1 / √(v + ε); m and v are the mean and the variance of the values of the group
 * of channel c: GROUP_CHANNELS consecutive channels. This is PyTorch's group_norm.
 * dx = r (γ dy − mean(γ dy) − x̂ mean(γ dy x̂));  dγ_c = Σ dy x̂;  dβ_c = Σ dy.
 */
export function createGroupNorm(
  below: Values,
  volume: Volume,
  { values: gamma, gradient: dGamma }: BlockViews,
  { values: beta, gradient: dBeta }: BlockViews,
): ReferenceLayer {
  const plane = volume.height * volume.width;
  const size = GROUP_CHANNELS * plane;
  const groups = volume.channels / GROUP_CHANNELS;
  const values = createValues(volumeSize(volume));
  const { output: y, dOutput: dy } = values;
  const { output: x, dOutput: dx } = below;
  /** x̂, and r of each group. */
  const normalized = new Float64Array(y.length);
  const inverses = new Float64Array(groups);

  function normalize(g: number): void {
    const [start, end] = [g * size, (g + 1) * size];
    let [sum, squares] = [0, 0];
    for (let p = start; p < end; p++) sum += x[p]!;
    const mean = sum / size;
    for (let p = start; p < end; p++) squares += (x[p]! - mean) ** 2;
    const inverse = 1 / Math.sqrt(squares / size + EPSILON);
    for (let p = start; p < end; p++) normalized[p] = (x[p]! - mean) * inverse;
    inverses[g] = inverse;
  }

  return {
    ...values,
    forward() {
      for (let g = 0; g < groups; g++) normalize(g);
      for (let c = 0, p = 0; c < volume.channels; c++) {
        for (const end = p + plane; p < end; p++) y[p] = gamma[c]! * normalized[p]! + beta[c]!;
      }
    },
    backward() {
      for (let g = 0; g < groups; g++) {
        const [start, end] = [g * size, (g + 1) * size];
        let [sum, products] = [0, 0];
        for (let p = start; p < end; p++) {
          const d = gamma[Math.floor(p / plane)]! * dy[p]!;
          dx[p] = d;
          sum += d;
          products += d * normalized[p]!;
        }
        for (let p = start; p < end; p++) {
          dx[p] = inverses[g]! * (dx[p]! - sum / size - (normalized[p]! * products) / size);
        }
      }
    },
    addGradient() {
      if (dGamma === null || dBeta === null) return;
      for (let p = 0; p < dy.length; p++) {
        const c = Math.floor(p / plane);
        dGamma[c]! += dy[p]! * normalized[p]!;
        dBeta[c]! += dy[p]!;
      }
    },
    addChange(block, c, delta) {
      if (block === 0) normalize(Math.floor(c / GROUP_CHANNELS));
      for (let p = c * plane; p < (c + 1) * plane; p++) y[p]! += block === 0 ? delta * normalized[p]! : delta;
    },
  };
}
