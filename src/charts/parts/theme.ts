/** Colours of charts. Files have fixed colours; a page may pass CSS variables instead. */
import type { PlotTheme } from '../../domain/reports/plots.ts';

export interface Theme {
  readonly paper: string;
  /** Titles and values. */
  readonly ink: string;
  /** Axes, ticks and notes. */
  readonly muted: string;
  /** Grid lines, as decoration. */
  readonly grid: string;
  /** Lines, in this order. */
  readonly series: readonly string[];
  /** Areas that are right or measured. */
  readonly accent: string;
  /** Areas that are wrong. */
  readonly error: string;
  /** Text on areas of full opacity. */
  readonly onArea: string;
}

/** Each series has at least 4.5 : 1 on the paper, since its name is written in its colour. */
export const THEMES = {
  light: {
    paper: '#ffffff',
    ink: '#1a1d21',
    muted: '#5a626c',
    grid: '#e3e6ea',
    series: ['#0b62a8', '#c2410c', '#0f766e', '#7c3aed', '#8a5a00', '#be185d', '#3f6212', '#475569'],
    accent: '#0b62a8',
    error: '#c2410c',
    onArea: '#ffffff',
  },
  dark: {
    paper: '#15181d',
    ink: '#eceff3',
    muted: '#a3acb8',
    grid: '#2e343d',
    series: ['#6cb4f0', '#f59e6b', '#4fd1b5', '#b79cf7', '#e3c04d', '#f28bb8', '#a3d65c', '#b6c2d1'],
    accent: '#6cb4f0',
    error: '#f59e6b',
    onArea: '#15181d',
  },
} as const satisfies Readonly<Record<PlotTheme, Theme>>;

/** Dash of each series, in the order of `Theme.series`, so lines also differ without colours. */
export const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '5 2 2 2 2 2', '4 5', '1 2'] as const;
