/** Plain float64 convolutions with group norm and pooling, one number at a time, to compare the kernel with. */
import type { Architecture, PlannedLayer } from '../../../src/numerics/network/architecture.ts';
import { GROUP_CHANNELS, plan } from '../../../src/numerics/network/architecture.ts';

interface Derivable {
  readonly activate: (z: number) => number;
  readonly derivative: (z: number) => number;
}

/** Values of an image, channel by channel: value (c, y, x) is at (c · height + y) · width + x. */
interface Pass {
  readonly output: Float64Array;
  /** Returns the gradient of the input. */
  readonly backward: (gradient: Float64Array) => Float64Array;
}

function convolve(
  { input, output, blocks }: PlannedLayer,
  values: Float64Array,
  parameters: Float64Array,
  sums: Float64Array,
): Pass {
  const [kernel, biases] = blocks as [PlannedLayer['blocks'][0], PlannedLayer['blocks'][0]];
  const { height, width } = output;
  /** Calls `visit` with the positions of an output, an input and a weight of each product. */
  function eachProduct(visit: (o: number, i: number, w: number) => void): void {
    for (let k = 0; k < output.channels; k++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let c = 0; c < input.channels; c++)
            for (let dy = 0; dy < 3; dy++)
              for (let dx = 0; dx < 3; dx++) {
                const [row, column] = [y + dy - 1, x + dx - 1];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                const weight = kernel.start + ((k * input.channels + c) * 3 + dy) * 3 + dx;
                visit((k * height + y) * width + x, (c * height + row) * width + column, weight);
              }
  }
  const positions = height * width;
  const result = Float64Array.from(
    { length: output.channels * positions },
    (_, o) => parameters[biases.start + Math.floor(o / positions)]!,
  );
  eachProduct((o, i, w) => {
    result[o]! += values[i]! * parameters[w]!;
  });
  return {
    output: result,
    backward(gradient) {
      const back = new Float64Array(values.length);
      eachProduct((o, i, w) => {
        sums[w]! += gradient[o]! * values[i]!;
        back[i]! += gradient[o]! * parameters[w]!;
      });
      for (const [o, g] of gradient.entries()) sums[biases.start + Math.floor(o / positions)]! += g;
      return back;
    },
  };
}

function normalize(
  { output, blocks }: PlannedLayer,
  values: Float64Array,
  parameters: Float64Array,
  sums: Float64Array,
): Pass {
  const [gamma, beta] = blocks as [PlannedLayer['blocks'][0], PlannedLayer['blocks'][0]];
  const positions = output.height * output.width;
  const size = GROUP_CHANNELS * positions;
  const normal = new Float64Array(values.length);
  const inverses: number[] = [];
  for (let start = 0; start < values.length; start += size) {
    const group = values.subarray(start, start + size);
    const mean = group.reduce((sum, z) => sum + z, 0) / size;
    const variance = group.reduce((sum, z) => sum + (z - mean) ** 2, 0) / size;
    inverses.push(1 / Math.sqrt(variance + 1e-5));
    for (let i = 0; i < size; i++) normal[start + i] = (group[i]! - mean) * inverses.at(-1)!;
  }
  const channel = (i: number) => Math.floor(i / positions);
  return {
    output: normal.map(
      (z, i) => z * parameters[gamma.start + channel(i)]! + parameters[beta.start + channel(i)]!,
    ),
    backward(gradient) {
      for (const [i, g] of gradient.entries()) {
        sums[gamma.start + channel(i)]! += g * normal[i]!;
        sums[beta.start + channel(i)]! += g;
      }
      const scaled = gradient.map((g, i) => g * parameters[gamma.start + channel(i)]!);
      return scaled.map((g, i) => {
        const start = i - (i % size);
        const group = scaled.subarray(start, start + size);
        const mean = group.reduce((sum, each) => sum + each, 0) / size;
        const product = group.reduce((sum, each, k) => sum + each * normal[start + k]!, 0) / size;
        return (g - mean - normal[i]! * product) * inverses[start / size]!;
      });
    },
  };
}

function pool({ input, output }: PlannedLayer, values: Float64Array): Pass {
  const origins: number[] = [];
  for (let c = 0; c < output.channels; c++)
    for (let y = 0; y < output.height; y++)
      for (let x = 0; x < output.width; x++) {
        const at = (c * input.height + 2 * y) * input.width + 2 * x;
        const four = [at, at + 1, at + input.width, at + input.width + 1];
        const most = Math.max(...four.map((i) => values[i]!));
        origins.push(four.find((i) => values[i] === most)!);
      }
  return {
    output: Float64Array.from(origins, (i) => values[i]!),
    backward(gradient) {
      const back = new Float64Array(values.length);
      for (const [o, i] of origins.entries()) back[i]! += gradient[o]!;
      return back;
    },
  };
}

/**
 * The layers below the first fully connected one, of one image, whose values are channels last. `backward` adds the
 * gradients of their parameters to `sums`.
 */
export function passConvolutions(
  architecture: Architecture,
  { activate, derivative }: Derivable,
  image: readonly number[],
  parameters: Float64Array,
  sums: Float64Array,
): Pass {
  const { layers } = plan(architecture);
  const { channels } = layers[0]!.input;
  const positions = image.length / channels;
  let values: Float64Array = Float64Array.from(
    image,
    (_, i) => image[(i % positions) * channels + Math.floor(i / positions)]!,
  );
  const passes: Pass[] = [];
  function add(pass: Pass): void {
    passes.push(pass);
    values = pass.output;
  }
  for (const [l, layer] of layers.entries()) {
    if (layer.type === 'dense') break;
    if (layer.type === 'maxPool') {
      add(pool(layer, values));
      continue;
    }
    add((layer.type === 'convolution' ? convolve : normalize)(layer, values, parameters, sums));
    if (layers[l + 1]!.type === 'groupNorm') continue;
    const z = values;
    add({ output: z.map(activate), backward: (gradient) => gradient.map((g, i) => g * derivative(z[i]!)) });
  }
  return {
    output: values,
    backward: (gradient) => passes.reduceRight((each, pass) => pass.backward(each), gradient),
  };
}
