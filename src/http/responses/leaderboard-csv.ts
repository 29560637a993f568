/** The leaderboard of a search as CSV (RFC 4180): a column for each path that varies. */
import { toCsvCell } from '../../charts/csv.ts';
import type { Trial } from '../../domain/searches/representation.ts';

const BEFORE = ['rank', 'trial', 'status'] as const;
const AFTER = [
  'value',
  'standardError',
  'withinOneError',
  'validationLoss',
  'validationAccuracy',
  'epoch',
  'epochs',
  'rung',
] as const;

/** @param paths that vary */
export function renderLeaderboard(paths: readonly string[], trials: readonly Trial[]): string {
  const rows = trials.map((trial) => [
    ...BEFORE.map((column) => trial[column]),
    ...paths.map((path) => trial.values[path]),
    ...AFTER.map((column) => trial[column]),
    trial.jobs.join(' '),
  ]);
  return [[...BEFORE, ...paths, ...AFTER, 'jobs'], ...rows]
    .map((cells) => `${cells.map(toCsvCell).join(',')}\r\n`)
    .join('');
}
