/** Shows the leaderboard of a search: redrawn in place on a terminal, else a line per event. */
import type { Search, SearchEvent, Trial } from '../../src/domain/searches/representation.ts';
import { formatFigure, formatTable, printable } from '../text.ts';

/** Trials that a terminal shows. */
const MAX_ROWS = 15;
/** Erase from the cursor to the end of the screen. */
const CLEAR_BELOW = '\u001B[J';
const up = (lines: number) => (lines > 0 ? `\u001B[${lines}A` : '');

/** The last name of a path is enough if no other path ends with it. */
function shortNames(paths: readonly string[]): string[] {
  const last = paths.map((path) => path.split('/').at(-1)!);
  return paths.map((path, n) => (last.filter((name) => name === last[n]).length > 1 ? path : last[n]!));
}

/** @param rows number of trials to show */
export function formatLeaderboard(
  { vary, objective, repeats }: Pick<Search, 'vary' | 'objective' | 'repeats'>,
  trials: readonly Trial[],
  rows = trials.length,
): string {
  const paths = vary.map(({ path }) => path);
  const heading = ['', 'TRIAL', ...shortNames(paths), objective, 'accuracy', 'epochs', 'status'];
  const lines = trials
    .slice(0, rows)
    .map((trial) => [
      `${trial.rank ?? '-'}${trial.withinOneError ? '*' : ''}`,
      String(trial.trial),
      ...paths.map((path) => JSON.stringify(trial.values[path])),
      formatFigure(trial.value),
      formatFigure(trial.validationAccuracy),
      formatEpochs(trial.epochs, repeats),
      trial.status,
    ]);
  const more = trials.length > rows ? `\n… and ${trials.length - rows} more` : '';
  return `${formatTable([heading, ...lines])}${more}`;
}

/** @param epochs of all repeats of a trial */
function formatEpochs(epochs: number, repeats: number): string {
  if (repeats === 1) return String(epochs);
  return epochs % repeats === 0 ? `${repeats} × ${epochs / repeats}` : `${epochs} in all`;
}

export interface LeaderboardView {
  /** Draws the leaderboard; only on a terminal. */
  draw(search: Search, trials: readonly Trial[]): void;
  /** Prints a line; not on a terminal. */
  print(event: SearchEvent): void;
  showLost(): void;
}

/** @param columns width of the terminal; null if the output is not a terminal */
export function createLeaderboardView(
  write: (text: string) => void,
  columns: number | null,
): LeaderboardView {
  let drawn = 0;

  function redraw(text: string): void {
    const lines = text.split('\n').map((line) => printable(line).slice(0, columns! - 1));
    write(`${up(drawn)}\r${CLEAR_BELOW}${lines.join('\n')}\n`);
    drawn = lines.length;
  }

  return {
    draw(search, trials) {
      if (columns === null) return;
      const { progress, status } = search;
      const summary = `${status}: ${progress.epochs} of at most ${progress.plannedEpochs} epochs, ${progress.active} active, ${progress.waiting} waiting`;
      redraw(`${formatLeaderboard(search, trials, MAX_ROWS)}\n${summary}`);
    },
    print(event) {
      if (columns === null) write(`${printable(describeEvent(event))}\n`);
    },
    showLost() {
      if (columns === null) write('connection lost, reconnecting\n');
    },
  };
}

function describeEvent({ type, data }: SearchEvent): string {
  switch (type) {
    case 'status':
      return `status: ${data['to']}`;
    case 'trial': {
      const figures = `value ${formatFigure(data['value'] as number | null)}, accuracy ${formatFigure(data['validationAccuracy'] as number | null)}`;
      const measured = data['value'] === null ? '' : ` after epoch ${data['epoch']}: ${figures}`;
      return `trial ${data['trial']}: ${data['status']}${measured}`;
    }
    case 'rung':
      return `after epoch ${data['epoch']}, trials ${(data['continued'] as number[]).join(', ')} continue`;
    case 'final':
      return `final training with the setting of trial ${data['trial']}: ${data['jobId']}`;
    default:
      return `${type}: ${data['message'] ?? JSON.stringify(data)}`;
  }
}
