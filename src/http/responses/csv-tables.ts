/** Tables as CSV (RFC 4180): leaderboards, threshold curves, measured coverages. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toCsvCell } from '../../charts/csv.ts';
import type { ShownCoverage } from '../../domain/checks/coverage.ts';
import type { ShownRanking } from '../../domain/checks/ranking.ts';
import type { Trial } from '../../domain/searches/representation.ts';
import { negotiate } from './negotiate.ts';

/**
 * Sends a result as JSON or, by `Accept`, as CSV.
 * @param compute is not called if neither type is acceptable
 */
export async function sendTable<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  compute: () => Promise<T>,
  toCsv: (result: T) => string | Promise<string>,
): Promise<FastifyReply> {
  const type = negotiate(request, reply, ['application/json', 'text/csv']);
  const result = await compute();
  if (type === 'application/json') return reply.send(result);
  return reply.type('text/csv; charset=utf-8').send(await toCsv(result));
}

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

/** The leaderboard of a search. @param paths that vary, a column each */
export function renderLeaderboard(paths: readonly string[], trials: readonly Trial[]): string {
  const rows = trials.map((trial) => [
    ...BEFORE.map((column) => trial[column]),
    ...paths.map((path) => trial.values[path]),
    ...AFTER.map((column) => trial[column]),
    trial.jobs.join(' '),
  ]);
  return renderRows([[...BEFORE, ...paths, ...AFTER, 'jobs'], ...rows]);
}

const CURVE = ['threshold', 'recall', 'falsePositiveRate', 'precision', 'accuracy'] as const;

/** One row for each point: the curves of the classes, then the micro average, then the answered fractions. */
export function renderRanking({ classes, microAverage, answered }: ShownRanking): string {
  const curves = [
    ...classes.map(({ className, curve }) => ({ names: ['class', className], curve })),
    { names: ['micro-average', null], curve: microAverage.curve },
  ];
  return renderRows([
    ['curve', 'className', ...CURVE, 'answered'],
    ...curves.flatMap(({ names, curve }) =>
      curve.threshold.map((_, i) => [...names, ...CURVE.map((column) => curve[column][i]), null]),
    ),
    ...answered.threshold.map((threshold, i) => [
      'answered',
      null,
      threshold,
      null,
      null,
      null,
      answered.accuracy[i],
      answered.fraction[i],
    ]),
  ]);
}

const LEVEL = ['coverage', 'measured', 'meanSize', 'unsure', 'sureAccuracy'] as const;

export const renderCoverage = ({ levels }: ShownCoverage): string =>
  renderRows([LEVEL, ...levels.map((level) => LEVEL.map((column) => level[column]))]);

const renderRows = (rows: readonly (readonly unknown[])[]): string =>
  rows.map((cells) => `${cells.map(toCsvCell).join(',')}\r\n`).join('');
