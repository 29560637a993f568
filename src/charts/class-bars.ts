/** Bar chart of precision, recall and F1 of each class. */
import type { VNode } from 'preact';
import { AXIS_BELOW, horizontalAxis } from './parts/axes.ts';
import { type Box, boxHeight } from './parts/box.ts';
import { drawRowNames, rowNamesWidth } from './parts/class-names.ts';
import { type Child, element } from './parts/element.ts';
import { type ChartOptions, figure } from './parts/figure.ts';
import { svgBars } from './parts/path-data.ts';
import { percentScale, type Scale } from './parts/scales.ts';
import { text, textWidth } from './parts/text.ts';
import type { Theme } from './parts/theme.ts';
import { shortNumber } from './parts/ticks.ts';

interface ClassScores {
  readonly className: string;
  /** Fractions. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ClassBarsInput {
  readonly subtitle: string;
  readonly classes: readonly ClassScores[];
}

type Score = 'precision' | 'recall' | 'f1';

const NAMES: Readonly<Record<Score, string>> = { precision: 'precision', recall: 'recall', f1: 'F1' };
const SCORES: readonly Score[] = ['precision', 'recall', 'f1'];
/** Height of a bar from which its value is written beside it. */
const VALUE_HEIGHT = 8;
const LEGEND_HEIGHT = 16;
/** Names of more rows would not be readable. */
const MAX_ROWS = 30;

/**
 * Classes in rows with three bars each, or with F1 alone if the rows are too low for three. Of many classes, those with the
 * lowest F1 are drawn, the lowest first.
 */
export function drawClassBars({ classes: all, subtitle }: ClassBarsInput, options: ChartOptions): VNode {
  const isCut = all.length > MAX_ROWS;
  const classes = isCut ? all.toSorted((a, b) => a.f1 - b.f1).slice(0, MAX_ROWS) : all;
  const worst = classes.reduce((a, b) => (b.f1 < a.f1 ? b : a));
  return figure(
    {
      title: isCut ? `Scores of the ${MAX_ROWS} classes with the lowest F1` : 'Scores by class',
      subtitle,
      description: `The lowest F1 is that of ${worst.className}: ${percent(worst.f1)} %, with a precision of ${percent(worst.precision)} % and a recall of ${percent(worst.recall)} %.`,
    },
    options,
    (area) => {
      const { theme } = options;
      const names = classes.map(({ className }) => className);
      const plot: Box = {
        left: area.left + rowNamesWidth(names, area),
        top: area.top + LEGEND_HEIGHT,
        right: area.right - textWidth('100.0') - 4,
        bottom: area.bottom - AXIS_BELOW,
      };
      const row = boxHeight(plot) / classes.length;
      const scores: readonly Score[] = row >= 3 * 4 ? SCORES : ['f1'];
      const x = percentScale('x', [plot.left, plot.right]);
      return [
        horizontalAxis(x, 'Score (%)', plot, theme, { grid: true }),
        drawLegend(scores, plot, theme),
        drawRowNames(names, plot, row, area, theme),
        scores.map((score, i) => drawScore(classes, score, i, scores.length, row, x, plot, theme)),
      ];
    },
  );
}

const percent = (fraction: number): string => shortNumber(100 * fraction);

function drawLegend(scores: readonly Score[], plot: Box, theme: Theme): Child {
  const widths = scores.map((score) => 14 + textWidth(NAMES[score]) + 16);
  let left = Math.max(0, Math.min(plot.left, plot.right - widths.reduce((sum, width) => sum + width, 0)));
  return scores.map((score, i) => {
    const at = left;
    left += widths[i]!;
    return [
      element('rect', { x: at, y: plot.top - 15, width: 10, height: 8, fill: colourOf(score, theme) }),
      text(at + 14, plot.top - 7, NAMES[score], { fill: theme.muted }),
    ];
  });
}

const colourOf = (score: Score, theme: Theme): string => theme.series[SCORES.indexOf(score)]!;

/** The bars of one score, at `position` of `count` within each row. */
function drawScore(
  classes: readonly ClassScores[],
  score: Score,
  position: number,
  count: number,
  row: number,
  x: Scale,
  plot: Box,
  theme: Theme,
): Child {
  // A quarter of the row stays free.
  const height = (row * 0.75) / count;
  const bars = classes.map((each, i) => {
    const top = plot.top + i * row + row / 8 + position * height;
    return {
      left: plot.left,
      top,
      right: x(100 * each[score]),
      bottom: top + height - Math.min(1, height / 4),
    };
  });
  // Some space between the values of two bars.
  const size = Math.min(10, 0.9 * height);
  return [
    element('path', { d: svgBars(bars), fill: colourOf(score, theme) }),
    height >= VALUE_HEIGHT
      ? element(
          'g',
          { 'font-size': size },
          bars.map(({ right, bottom }, i) =>
            text(
              right + 4,
              bottom - (height - size) / 2 - size / 6,
              (100 * classes[i]![score]).toFixed(1),
              {},
            ),
          ),
        )
      : null,
  ];
}
