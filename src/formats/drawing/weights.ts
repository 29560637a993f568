/** Draws the weights of a layer. Units, channels and inputs are numbered from 0. */
import { type Architecture, type PlannedLayer, plan } from '../../numerics/network/architecture.ts';
import { channelCount, type ImageShape } from '../../numerics/network/image-shape.ts';
import type { Parameters } from '../../numerics/network/layers.ts';
import {
  channelLevels,
  divergingColours,
  drawScale,
  greyLevel,
  magnitude,
  SCALE_HEIGHT,
  SCALE_MIN_WIDTH,
} from './colour-scale.ts';
import { createRaster, drawMatrix, type Raster, toColours } from './raster.ts';
import { drawText, TEXT_HEIGHT, textWidth } from './text.ts';

/** The weights to draw: rows of the first layer as tiles, matrices of later layers as heat maps. */
interface Weights {
  /** Rows of `inputs`. */
  readonly values: Parameters;
  readonly inputs: number;
  /** Unit number of each row. */
  readonly units: readonly number[];
  /** End of the colour scale, taken from the whole layer, so a single unit keeps its colours. */
  readonly max: number;
}

const MARGIN = 8;
const GAP = 6;
/** Approximate width above which cells are drawn smaller. */
const WIDTH = 1200;

/** A row with more inputs is drawn in fewer cells, each with the largest weight of several inputs. */
const MAX_COLUMNS = 4096;

/** The layers that have a number: convolutions, then fully connected layers. Norms and pooling are not counted. */
export const numberedLayers = (architecture: Architecture): PlannedLayer[] =>
  plan(architecture).layers.filter(({ type }) => type === 'convolution' || type === 'dense');

/**
 * Draws the first layer as one tile per unit, of the shape of the images, or, if it is a convolution, as one tile of 3×3 weights per
 * output channel; weights of colours as red, green and blue around grey. Draws a later layer as a map of units or channels (rows) ×
 * inputs (columns); of a convolution, nine inputs for each input channel.
 * @param layer 1 … the number of numbered layers
 * @param unit draws this unit or output channel only, from 0
 * @throws RangeError if the layer or unit does not exist
 */
export function drawWeights(
  network: {
    readonly architecture: Architecture;
    readonly parameters: Parameters;
  },
  { layer, unit }: { readonly layer: number; readonly unit?: number | undefined },
): Raster {
  const { inputShape } = network.architecture;
  const found = numberedLayers(network.architecture)[layer - 1];
  if (found === undefined) throw new RangeError(`There is no layer ${layer}.`);
  const {
    type,
    output: { channels: outputs },
    blocks: [block],
  } = found;
  if (unit !== undefined && unit >= outputs) throw new RangeError(`There is no unit ${unit}.`);
  const weights = network.parameters.subarray(block!.start, block!.end);
  const inputs = weights.length / outputs;
  const drawn: Weights = {
    values: unit === undefined ? weights : weights.subarray(unit * inputs, (unit + 1) * inputs),
    inputs,
    units: unit === undefined ? Array.from({ length: outputs }, (_, i) => i) : [unit],
    max: magnitude(weights),
  };
  if (layer > 1) return drawMap(drawn);
  if (type === 'dense') return drawTiles(drawn, inputShape);
  if (channelCount(inputShape) === 1) return drawTiles(drawn, [3, 3]);
  // From planes of nine weights to the three colours of each weight.
  const values = drawn.values.map(
    (_, i, planes) => planes[i - (i % 27) + (i % 3) * 9 + Math.floor((i % 27) / 3)]!,
  );
  return drawTiles({ ...drawn, values }, [3, 3, 3]);
}

/** @param shape of a tile */
function drawTiles({ values, inputs, units, max }: Weights, shape: ImageShape): Raster {
  const [tileRows, tileColumns] = shape;
  const columns = Math.ceil(Math.sqrt(units.length * 1.6));
  const rows = Math.ceil(units.length / columns);
  const scale = Math.max(1, Math.min(12, Math.floor((WIDTH / columns - GAP) / tileColumns)));
  const textScale = scale === 1 ? 1 : 2;
  const [tileWidth, tileHeight, label] = [tileColumns * scale, tileRows * scale, TEXT_HEIGHT * textScale + 3];
  const width = Math.max(columns * (tileWidth + GAP) - GAP, SCALE_MIN_WIDTH);
  const height = rows * (label + tileHeight + GAP);
  const raster = createRaster(width + 2 * MARGIN, height + SCALE_HEIGHT + 2 * MARGIN);
  const isColour = channelCount(shape) === 3;
  const [toColour, toLevel] = [divergingColours(max), channelLevels(max)];
  for (const [i, unit] of units.entries()) {
    const left = MARGIN + (i % columns) * (tileWidth + GAP);
    const top = MARGIN + Math.floor(i / columns) * (label + tileHeight + GAP);
    drawText(raster, left, top, `${unit}`, textScale);
    const row = values.subarray(i * inputs, (i + 1) * inputs);
    const cell = { width: scale, height: scale };
    const colours = isColour ? toColours(row, toLevel) : Array.from(row, toColour);
    drawMatrix(raster, left, top + label, colours, tileColumns, cell);
  }
  const ofScale = isColour ? (value: number) => greyLevel(channelLevels(1)(value)) : undefined;
  drawScale(raster, MARGIN, MARGIN + height, width, max, ofScale);
  return raster;
}

function drawMap(weights: Weights): Raster {
  const each = Math.ceil(weights.inputs / MAX_COLUMNS);
  const { values, inputs, units, max } = each === 1 ? weights : joinInputs(weights, each);
  const cellSize = (count: number) => Math.max(1, Math.min(24, Math.floor(WIDTH / count)));
  const cell = { width: cellSize(inputs), height: cellSize(units.length) };
  const textScale = cell.height < 12 ? 1 : 2;
  const step = labelStep(cell.height, TEXT_HEIGHT * textScale + 1);
  const gutter = textScale * textWidth(`${units.at(-1)}`) + 4;
  const header = TEXT_HEIGHT * textScale + 4;
  const [mapWidth, mapHeight] = [Math.max(inputs * cell.width, SCALE_MIN_WIDTH), units.length * cell.height];
  const [left, top] = [MARGIN + gutter, MARGIN + header];
  const raster = createRaster(left + mapWidth + MARGIN, top + mapHeight + GAP + SCALE_HEIGHT + MARGIN);
  drawMatrix(raster, left, top, Array.from(values, divergingColours(max)), inputs, cell);
  for (let i = 0; i < units.length; i += step) {
    const down = Math.max(0, Math.floor((cell.height - TEXT_HEIGHT * textScale) / 2));
    drawText(raster, MARGIN, top + i * cell.height + down, `${units[i]}`, textScale);
  }
  const inputStep = labelStep(cell.width, textScale * (textWidth(`${each * (inputs - 1)}`) + 3));
  for (let j = 0; j < inputs; j += inputStep) {
    drawText(raster, left + j * cell.width, MARGIN, `${each * j}`, textScale);
  }
  drawScale(raster, left, top + mapHeight + GAP, mapWidth, max);
  return raster;
}

/** Keeps the weight of the largest magnitude of every `count` successive inputs of a unit. */
function joinInputs({ values, inputs, ...others }: Weights, count: number): Weights {
  const columns = Math.ceil(inputs / count);
  const joined = new Float32Array((values.length / inputs) * columns);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / inputs) * columns + Math.floor((i % inputs) / count);
    if (!(Math.abs(values[i]!) < Math.abs(joined[at]!))) joined[at] = values[i]!;
  }
  return { ...others, values: joined, inputs: columns };
}

/** Smallest step of 1, 5, 10, 50, 100, … cells at which labels of `needed` pixels do not overlap. */
function labelStep(cell: number, needed: number): number {
  for (let step = 1; ; step *= 10) {
    if (step * cell >= needed) return step;
    if (5 * step * cell >= needed) return 5 * step;
  }
}
