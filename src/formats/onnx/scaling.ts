/** Scaling of the input of an ONNX graph, as the standardization of a network. */
import type { ChannelStandardization, Standardization } from '../../numerics/network/layers.ts';
import type { OnnxValue } from './message.ts';

/** One for all values of an image, or one for each channel. */
type Channels = readonly ChannelStandardization[];

/** x = (q − mean) / std for pixels q of 0–1, by the range of the graph's input. */
export interface Scaling {
  /** For an input of 0–1. */
  readonly unit: Channels;
  /** For an input of 0–255. */
  readonly byte: Channels;
  /** Whether the graph scales its input. */
  readonly used: boolean;
}

const MAX_PIXEL = 255;
/** The standardization of pixels / 255. */
export const UNCHANGED: ChannelStandardization = { mean: 0, std: 1 };
export const UNSCALED: Scaling = {
  unit: [UNCHANGED],
  byte: [{ mean: 0, std: 1 / MAX_PIXEL }],
  used: false,
};

/** Greater constants occur for pixels of 0–255 only: the standard deviation of pixels of 0–1 is at most 0.5. */
const MAX_UNIT = 2;
/** A constant such as 1/255 is rounded to float32. */
const TOLERANCE = 1e-6;

/** x − c. @param c one number, or one for each channel */
export function subtract(scaling: Scaling, c: readonly number[]): Scaling {
  return change(scaling, c, ({ mean, std }, number) => ({ mean: mean + number * std, std }));
}

/** x / c */
export function divide(scaling: Scaling, c: readonly number[]): Scaling {
  return change(scaling, c, ({ mean, std }, number) => ({ mean, std: std * number }));
}

/** x · c */
export function multiply(scaling: Scaling, c: readonly number[]): Scaling {
  return change(scaling, c, ({ mean, std }, number) => ({ mean, std: std / number }));
}

function change(
  { unit, byte }: Scaling,
  numbers: readonly number[],
  apply: (each: ChannelStandardization, number: number) => ChannelStandardization,
): Scaling {
  const applyAll = (channels: Channels) =>
    Array.from({ length: Math.max(channels.length, numbers.length) }, (_, c) =>
      apply(channels[c % channels.length]!, numbers[c % numbers.length]!),
    );
  return { unit: applyAll(unit), byte: applyAll(byte), used: true };
}

/** The standardization of one channel, or of three. */
export function joinChannels(channels: Channels): Standardization {
  const [red, green, blue] = channels as [ChannelStandardization, ...ChannelStandardization[]];
  if (!green || !blue) return red;
  return { mean: [red.mean, green.mean, blue.mean], std: [red.std, green.std, blue.std] };
}

/**
 * An integer input has pixels of 0–255. So has a floating-point input that the graph divides by more than 2.
 * @returns null for pixels / 255; undefined if the graph does not scale a floating-point input of unknown range
 */
export function resolveScaling(
  { unit, byte, used }: Scaling,
  elementType: OnnxValue['elementType'],
): Channels | null | undefined {
  if (!isInteger(elementType) && !used) return undefined;
  const isByte = unit.some(({ mean, std }) => std > MAX_UNIT || Math.abs(mean) > MAX_UNIT);
  const found = isInteger(elementType) || isByte ? byte : unit;
  const isUnchanged = ({ mean, std }: ChannelStandardization) =>
    Math.abs(mean) < TOLERANCE && Math.abs(std - 1) < TOLERANCE;
  return found.every(isUnchanged) ? null : found;
}

/** Possible standardizations of a graph: pixels of an integer input are 0–255, of a floating-point input 0–255 or 0–1. */
export function possibleStandardizations(
  { unit, byte }: Scaling,
  elementType: OnnxValue['elementType'],
): Standardization[] {
  return (isInteger(elementType) ? [byte] : [unit, byte]).map(joinChannels);
}

const isInteger = (elementType: OnnxValue['elementType']) => elementType?.includes('int') ?? false;
