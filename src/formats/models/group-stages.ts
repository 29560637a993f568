/** Finds the convolutions after which a file has max pooling, which the names and shapes of its arrays do not say. */
import { isDeepStrictEqual } from 'node:util';
import { CONVOLUTION_LIMITS, type Volume, volumeSize } from '../../numerics/network/architecture.ts';
import { channelCount, type ImageShape } from '../../numerics/network/image-shape.ts';
import { isConvolution, type LayerTensors } from '../arrays/tensor.ts';
import { quote, rejectModelFile, showShape } from './file-error.ts';
import { halve, readChannels } from './pack-convolutions.ts';

type Stages = readonly (readonly number[])[];

/** Limit of groupings in an error message. */
const MAX_SHOWN = 3;

/**
 * Takes the only grouping into stages for which the inputs of the first fully connected layer fit: a single one, for instance,
 * or one of each convolution. Pooling after the last convolution is certain.
 * @param given the field `convolutions`, which decides
 * @returns the layers with `isPooled`
 * @throws AtelierError `invalid-model-file` if no grouping fits, or several do
 */
export function groupStages(
  layers: readonly LayerTensors[],
  inputShape: ImageShape,
  given: Stages | undefined,
): LayerTensors[] {
  const convolutions = layers.filter(isConvolution);
  let inputs: number = channelCount(inputShape);
  const channels = convolutions.map((layer) => {
    inputs = readChannels(layer, inputs);
    return inputs;
  });
  const stages = given ?? findStages(channels, layers[convolutions.length], inputShape);
  if (!isDeepStrictEqual(stages.flat(), channels))
    rejectModelFile(
      `its convolutions have ${channels.join(', ')} channels, but the request or its metadata has ${JSON.stringify(stages)}`,
      undefined,
      'convolutions',
    );
  let end = -1;
  const ends = new Set(stages.map(({ length }) => (end += length)));
  return layers.map((layer, l) => (isConvolution(layer) ? { ...layer, isPooled: ends.has(l) } : layer));
}

function findStages(
  channels: readonly number[],
  next: LayerTensors | undefined,
  inputShape: ImageShape,
): Stages {
  if (next === undefined) return rejectModelFile('it has no fully connected layer after its convolutions');
  const { name, shape } = next.weights;
  let volume: Volume = {
    height: inputShape[0],
    width: inputShape[1],
    channels: channels.at(-1) ?? channelCount(inputShape),
  };
  const found: string[] = [];
  for (let count = 1; count <= channels.length; count++) {
    volume = halve(volume);
    if (volumeSize(volume) === 0) break;
    found.push(`${volume.channels}×${volume.height}×${volume.width} = ${volumeSize(volume)}`);
    if (volumeSize(volume) !== shape[1]) continue;
    const groupings = splitStages(channels, count);
    const [only, ...others] = groupings;
    if (only && others.length === 0) return only;
    if (!only) {
      rejectModelFile(
        `${quote(name)} has shape ${showShape(shape)}, so its ${channels.length} convolutions have 2×2 max pooling ${count === 1 ? 'once' : `${count} times`}; it must follow at least every ${CONVOLUTION_LIMITS.perStage} convolutions`,
      );
    }
    const shown = groupings.slice(0, MAX_SHOWN).map((each) => JSON.stringify(each));
    rejectModelFile(
      `its shapes do not determine after which ${count} of its ${channels.length} convolutions 2×2 max pooling follows; send the field convolutions, such as ${shown.join(' or ')}`,
      undefined,
      'convolutions',
    );
  }
  const [what, leave] =
    channels.length === 1 ? ['a convolution', 'leaves'] : [`${channels.length} convolutions`, 'leave'];
  return rejectModelFile(
    `${quote(name)} has shape ${showShape(shape)}, but ${what} of images of ${inputShape.join('×')}, 3×3 with stride 1 and padding 1, ${leave} ${found.join(' or ')} values${found.length > 1 ? ', by the number of 2×2 max poolings' : ' after 2×2 max pooling'}`,
  );
}

/** All ways to split a list into `count` stages of 1 to 3 convolutions. */
function splitStages(channels: readonly number[], count: number): number[][][] {
  if (count === 0) return channels.length === 0 ? [[]] : [];
  const lengths = Array.from(
    { length: Math.min(CONVOLUTION_LIMITS.perStage, channels.length) },
    (_, i) => i + 1,
  );
  return lengths.flatMap((length) =>
    splitStages(channels.slice(length), count - 1).map((rest) => [channels.slice(0, length), ...rest]),
  );
}
