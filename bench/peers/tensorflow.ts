/** The used part of the API of TensorFlow.js. Its own types exist only if it is installed. */

export interface Tensor {
  dataSync(): Float32Array;
}

export interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  tidy<T>(compute: () => T): T;
  tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  variable(initial: Tensor): Tensor;
  randomUniform(shape: number[], low: number, high: number): Tensor;
  fill(shape: number[], value: number): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  readonly losses: { softmaxCrossEntropy(targets: Tensor, logits: Tensor): Tensor };
  readonly train: {
    sgd(learningRate: number): { minimize(cost: () => Tensor, returnCost: true): Tensor };
  };
}
