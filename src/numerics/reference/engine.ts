/** The definition of correct, as an engine: float64, plain loops, one thread. */
import type { CreateEngine } from '../engine.ts';
import { createComputeGradient, descend } from './objective.ts';

export const createReferenceEngine: CreateEngine = ({ layerSizes, batchSize, l2 }, initial) => {
  const parameters = initial.slice();
  const gradient = new Float64Array(parameters.length);
  const computeGradient = createComputeGradient(gradient, parameters, layerSizes);
  return {
    name: 'reference-float64',
    parameters,
    step(examples, batch, learningRate, sums) {
      if (batch.length < 1 || batch.length > batchSize) {
        throw new RangeError(`a batch of this engine has 1 to ${batchSize} examples, not ${batch.length}`);
      }
      computeGradient(sums, examples, batch, l2);
      descend(parameters, gradient, learningRate);
    },
    gradientNorm() {
      let squares = 0;
      for (const g of gradient) squares += g * g;
      return Math.sqrt(squares);
    },
  };
};
