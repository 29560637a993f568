/** Slices of a search: the objective by each varied option, one panel per option. */

import type { VNode } from 'preact';
import type { PlotScale } from '../../domain/reports/plots.ts';
import {
  AXIS_BELOW,
  axisWidth,
  horizontalAxis,
  horizontalGrid,
  LABEL_ABOVE,
  verticalAxis,
} from '../parts/axes.ts';
import { type Box, boxHeight } from '../parts/box.ts';
import { dots } from '../parts/dots.ts';
import type { Child } from '../parts/element.ts';
import { type ChartOptions, figure } from '../parts/figure.ts';
import { horizontalValueScale, linearScale, type Scale, valueScale } from '../parts/scales.ts';
import { fitText } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { describeBest, drawBestDot, isShown, type SearchChartInput, type SearchTrial } from './trials.ts';

export interface SearchOption {
  /** `learningRate`, `hidden` */
  readonly name: string;
  /** `choices` are drawn at equal distances, in the order of `choices`. */
  readonly kind: PlotScale | 'choices';
  /** Texts of the choices; empty for numbers. */
  readonly choices: readonly string[];
}

export interface SearchSlicesInput extends SearchChartInput {
  /** Number of the best trial; null before the first result. */
  readonly best: number | null;
  /** At least one. */
  readonly options: readonly SearchOption[];
  readonly trials: readonly (SearchTrial & {
    /** One per option: a number, or the index of a choice. */
    readonly settings: readonly number[];
  })[];
}

/** Smallest panel. */
const PANEL_WIDTH = 150;
const PANEL_HEIGHT = 100;
/** Height of the title and the notes, about. */
const HEAD = 60;
const GAP = 14;

/** The best trial is drawn larger and in another colour in every panel. */
export function drawSearchSlices(input: SearchSlicesInput, options: ChartOptions): VNode {
  const { trials, objective, subtitle, scaleName } = input;
  const best = trials.find(({ number, value }) => number === input.best && value !== null) ?? null;
  const shown = trials.filter(({ value }) => isShown(value, scaleName));
  const missing = trials.length - shown.length;
  const columns = Math.max(1, Math.min(input.options.length, Math.floor((options.width - 24) / PANEL_WIDTH)));
  const maxRows = Math.max(1, Math.floor((options.height - HEAD) / PANEL_HEIGHT));
  const drawn = input.options.slice(0, columns * maxRows);
  const left = input.options.slice(drawn.length).map(({ name }) => name);
  return figure(
    {
      title: 'Objective by option',
      subtitle,
      description: describeBest(trials, best, objective),
      notes: [
        `A dot is a trial; the large one is the best.${missing === 0 ? '' : ` Without a value to show: ${missing}.`}`,
        ...(input.notes ?? []),
        ...(left.length === 0 ? [] : [`Without room at this size: ${left.join(', ')}.`]),
      ],
    },
    options,
    (area) => {
      const { theme } = options;
      const rows = Math.ceil(drawn.length / columns);
      const rowHeight = boxHeight({ ...area, top: area.top + LABEL_ABOVE }) / rows;
      const values = shown.map(({ value }) => value!);
      return drawn.map((option, i) => {
        const top = area.top + LABEL_ABOVE + Math.floor(i / columns) * rowHeight;
        const bottom = top + rowHeight - AXIS_BELOW - 6;
        const y = valueScale(values, { name: scaleName }, [bottom, top]);
        const start = area.left + axisWidth(y.ticks);
        const step = (area.right - start + GAP) / columns;
        const plot: Box = {
          left: start + (i % columns) * step,
          top,
          right: start + (i % columns) * step + step - GAP,
          bottom,
        };
        const isFirst = i % columns === 0;
        return [
          isFirst
            ? verticalAxis(y, i === 0 ? objective.label : '', plot, area, theme)
            : horizontalGrid(y, plot, theme),
          drawPanel(option, i, shown, best, y, plot, theme),
        ];
      });
    },
  );
}

function drawPanel(
  option: SearchOption,
  index: number,
  trials: SearchSlicesInput['trials'],
  best: SearchSlicesInput['trials'][number] | null,
  y: Scale,
  plot: Box,
  theme: Theme,
): Child {
  const inner: readonly [number, number] = [plot.left + 8, plot.right - 8];
  const settings = trials.map((trial) => trial.settings[index]!);
  const x =
    option.kind === 'choices'
      ? choiceScale(option.choices, inner)
      : horizontalValueScale(settings, option.kind, inner);
  const position = (trial: SearchSlicesInput['trials'][number]) =>
    [x(trial.settings[index]!), y(trial.value!)] as const;
  const others = trials.filter((trial) => trial !== best);
  return [
    horizontalAxis(x, option.name, plot, theme),
    dots(others.map(position), { colour: theme.accent, diameter: 6, opacity: 0.6 }),
    best !== null && trials.includes(best) ? drawBestDot(position(best), 5, theme) : null,
  ];
}

/** Names are cut to their room. Numbers are not: the axis leaves out those that would overlap. */
function choiceScale(choices: readonly string[], range: readonly [number, number]): Scale {
  const width = (range[1] - range[0]) / choices.length;
  const ticks = choices.map((choice, value) => ({
    value,
    label: Number.isFinite(Number(choice)) ? choice : fitText(choice, width - 2),
  }));
  return linearScale([-0.5, choices.length - 0.5], range, ticks);
}
