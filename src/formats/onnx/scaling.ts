/** Scaling of the input of an ONNX graph, as the standardization of a network. */
import type { Standardization } from '../../numerics/network/layers.ts';
import type { OnnxValue } from './message.ts';

/** x = (q − mean) / std for pixels q of 0–1, by the range of the graph's input. */
export interface Scaling {
  /** For an input of 0–1. */
  readonly unit: Standardization;
  /** For an input of 0–255. */
  readonly byte: Standardization;
  /** Whether the graph scales its input. */
  readonly used: boolean;
}

const MAX_PIXEL = 255;
/** The standardization of pixels / 255. */
export const UNCHANGED: Standardization = { mean: 0, std: 1 };
export const UNSCALED: Scaling = {
  unit: UNCHANGED,
  byte: { mean: 0, std: 1 / MAX_PIXEL },
  used: false,
};

/** Greater constants occur for pixels of 0–255 only: the standard deviation of pixels of 0–1 is at most 0.5. */
const MAX_UNIT = 2;
/** A constant such as 1/255 is rounded to float32. */
const TOLERANCE = 1e-6;

/** x − c */
export function subtract(scaling: Scaling, c: number): Scaling {
  return change(scaling, ({ mean, std }) => ({ mean: mean + c * std, std }));
}

/** x / c */
export function divide(scaling: Scaling, c: number): Scaling {
  return change(scaling, ({ mean, std }) => ({ mean, std: std * c }));
}

/** x · c */
export function multiply(scaling: Scaling, c: number): Scaling {
  return change(scaling, ({ mean, std }) => ({ mean, std: std / c }));
}

function change({ unit, byte }: Scaling, apply: (each: Standardization) => Standardization): Scaling {
  return { unit: apply(unit), byte: apply(byte), used: true };
}

/**
 * An integer input has pixels of 0–255. So has a floating-point input that the graph divides by more than 2.
 * @returns null for pixels / 255; undefined if the graph does not scale a floating-point input of unknown range
 */
export function resolveScaling(
  { unit, byte, used }: Scaling,
  elementType: OnnxValue['elementType'],
): Standardization | null | undefined {
  if (!isInteger(elementType) && !used) return undefined;
  const { mean, std } =
    isInteger(elementType) || unit.std > MAX_UNIT || Math.abs(unit.mean) > MAX_UNIT ? byte : unit;
  return Math.abs(mean) < TOLERANCE && Math.abs(std - 1) < TOLERANCE ? null : { mean, std };
}

/** Possible standardizations of a graph: pixels of an integer input are 0–255, of a floating-point input 0–255 or 0–1. */
export function possibleStandardizations(
  { unit, byte }: Scaling,
  elementType: OnnxValue['elementType'],
): Standardization[] {
  return isInteger(elementType) ? [byte] : [unit, byte];
}

const isInteger = (elementType: OnnxValue['elementType']) => elementType?.includes('int') ?? false;
