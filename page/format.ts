/** Numbers, durations and sizes as text. English, as the rest of the page. */

import { toCsvCell } from '../src/charts/csv.ts';
import type { TrainingRequest } from '../src/domain/jobs/request.ts';
import type { ImageShape } from '../src/numerics/network/image-shape.ts';

/** 12,345, of an integer. Not by `Intl`: its first use takes 11 of the 65 ms until the form is drawn. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** Rows and columns, and 3 for colour: 8×8, 64×64×3 */
export const shapeText = (shape: ImageShape): string => shape.join('×');

/** `digits` significant digits, without an exponent where it is readable. */
export function significant(value: number | null, digits = 4): string {
  if (value === null || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 1e7) return value.toExponential(digits - 1);
  return value.toLocaleString('en', { minimumSignificantDigits: digits, maximumSignificantDigits: digits });
}

/** @param fraction from 0 to 1 */
export const percent = (fraction: number | null, decimals = 2): string =>
  fraction === null ? '–' : `${(fraction * 100).toFixed(decimals)} %`;

/** 850 ms, 1.4 s, 2 min 5 s, 3 h 20 min */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  if (seconds < 0.95) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

type Layers = Pick<TrainingRequest['network'], 'convolutions' | 'hidden'>;

/** (16) and (32 32) */
const stageTexts = (stages: Layers['convolutions']): string[] =>
  stages.map((stage) => `(${[stage].flat().join(' ')})`);

/** "convolutions (16)-(32 32), then 128 hidden units", as lab reports begin. */
export const describeLayers = ({ convolutions, hidden }: Layers): string =>
  [
    convolutions.length > 0 && `convolutions ${stageTexts(convolutions).join('-')}`,
    hidden.length > 0 && `${hidden.join(' and ')} hidden units`,
  ]
    .filter((part) => part !== false)
    .join(', then ') || 'no hidden layers';

/** Stages of convolutions and units of hidden layers: (16)-(32 32)-128 */
export const layerText = ({ convolutions, hidden }: Layers): string =>
  [...stageTexts(convolutions), ...hidden].join('-');

/** 1,024-based: 36 MiB */
export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  const value = size / 1024 ** power;
  return `${value.toFixed(value < 10 && power > 0 ? 1 : 0)} ${units[power]}`;
}

/** Local date and time, to the second. */
export const dateTime = (iso: string | null): string =>
  iso === null ? '–' : new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** RFC 4180. */
export function toCsv(table: {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}): string {
  return [table.columns, ...table.rows].map((row) => `${row.map(toCsvCell).join(',')}\r\n`).join('');
}
