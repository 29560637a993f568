/** The reference engine defines correct results: float64, plain loops, one thread. */

import { unpackWeights } from '../network/layers.ts';
import { emaDecay, updateAverage } from '../training/ema.ts';
import { type CreateEngine, checkAverage, checkBatch, stateVectors } from '../training/engine.ts';
import { createComputeGradient } from './objective.ts';
import { createOptimizer } from './optimizers.ts';

export const createReferenceEngine: CreateEngine = (settings, initial) => {
  const { architecture, clipNorm, ema } = settings;
  const parameters = Float64Array.from(initial);
  const average = ema && parameters.slice();
  const gradient = new Float64Array(parameters.length);
  const computeGradient = createComputeGradient(gradient, parameters, settings);
  const optimizer = createOptimizer(
    settings.optimizer,
    parameters.length,
    unpackWeights(parameters, architecture),
    unpackWeights(gradient, architecture),
  );
  const discarded = { loss: 0, correct: 0 };
  let steps = 0;
  let norm = Number.NaN;

  return {
    name: 'reference-float64',
    parameters: average ?? parameters,
    step(examples, batch, position, sums) {
      checkBatch(settings, batch);
      computeGradient(sums, examples, batch, position);
      if (position.measureNorm || clipNorm !== null) norm = norm2(gradient);
      if (clipNorm !== null) clip(gradient, norm, clipNorm);
      optimizer.update(parameters, gradient, position.learningRate, ++steps);
      if (average) updateAverage(average, parameters, emaDecay(ema!, steps));
    },
    gradientNorm: () => norm,
    gradient(out, examples, batch, position) {
      checkBatch(settings, batch);
      computeGradient(discarded, examples, batch, position);
      out.set(gradient);
    },
    exportState: () => ({
      parameters: parameters.slice(),
      average: average?.slice() ?? null,
      moments: optimizer.moments.map((moment) => moment.slice()),
      steps,
      gradientNorm: norm,
    }),
    importState(state) {
      if (state.moments.length !== optimizer.moments.length) {
        throw new RangeError(
          `This optimizer keeps ${optimizer.moments.length} moments, not ${state.moments.length}.`,
        );
      }
      checkAverage(settings, state);
      const own = [parameters, ...optimizer.moments, ...(average ? [average] : [])];
      for (const [i, vector] of stateVectors(state).entries()) {
        if (vector.length !== parameters.length) {
          throw new RangeError(
            `The vectors of this engine have ${parameters.length} numbers, not ${vector.length}.`,
          );
        }
        own[i]!.set(vector);
      }
      steps = state.steps;
      norm = state.gradientNorm;
    },
  };
};

/** √Σ g² */
function norm2(vector: Float64Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

/** g ← g · min(1, clipNorm / (‖g‖ + 10⁻⁶)), as PyTorch's clip_grad_norm_ (Pascanu et al., ICML 2013) */
function clip(gradient: Float64Array, norm: number, clipNorm: number): void {
  const scale = clipNorm / (norm + 1e-6);
  if (scale < 1) for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale;
}
