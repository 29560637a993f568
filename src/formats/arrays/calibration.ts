/** Calibrations as safetensors, the form in which they are stored. */
import type { Calibration } from '../../numerics/calibration/fit.ts';
import type { NeighbourSpace } from '../../numerics/calibration/neighbours.ts';
import { safetensorsBytes } from './safetensors.ts';
import { readSafetensorsHeader } from './safetensors-header.ts';
import type { Float32Tensor } from './tensor.ts';

const PROBABILITIES = [
  'trueProbabilities',
  'highest',
  'second',
] as const satisfies readonly (keyof Calibration)[];
const PARTS = ['mean', 'components', 'points'] as const satisfies readonly (keyof NeighbourSpace)[];

export function calibrationBytes({ temperature, outliers, ...probabilities }: Calibration): Uint8Array {
  const { spaces, scores, combined } = outliers;
  const tensor = (name: string, data: Float32Array): Float32Tensor => ({ name, shape: [data.length], data });
  const tensors = [
    ...PROBABILITIES.map((name) => tensor(name, probabilities[name])),
    tensor('combined', combined),
    ...scores.map((data, s) => tensor(`scores${s}`, data)),
    ...spaces.flatMap((space, s) => PARTS.map((part) => tensor(`${part}${s}`, space[part]))),
  ];
  // A number as text has all its digits.
  return safetensorsBytes(tensors, { temperature: String(temperature) });
}

/**
 * The arrays are views of one buffer in shared memory, so that the file is copied once, and all threads use one copy.
 * @param file as `calibrationBytes` wrote it
 */
export function parseCalibration(file: Uint8Array): Calibration {
  const { entries, metadata } = readSafetensorsHeader(file);
  const shared = new Uint8Array(new SharedArrayBuffer(file.length));
  shared.set(file);
  const arrays = new Map(
    entries.map(({ name, start, end }) => [name, new Float32Array(shared.buffer, start, (end - start) / 4)]),
  );
  const array = (name: string) => arrays.get(name)!;
  const count = (prefix: string) =>
    arrays
      .keys()
      .filter((name) => name.startsWith(prefix))
      .toArray().length;
  const list = <T>(length: number, make: (s: number) => T) => Array.from({ length }, (_, s) => make(s));
  return {
    temperature: Number(metadata['temperature']),
    trueProbabilities: array('trueProbabilities'),
    highest: array('highest'),
    second: array('second'),
    outliers: {
      spaces: list(count('points'), (s) => ({
        mean: array(`mean${s}`),
        components: array(`components${s}`),
        points: array(`points${s}`),
      })),
      scores: list(count('scores'), (s) => array(`scores${s}`)),
      combined: array('combined'),
    },
  };
}
