/**
 * Elements of small charts, whose positions are computed by hand. A 0 is 7.04 pixels wide, so most plots begin at
 * 12 + 7.04 + 8 = 27.04. They reach from 34 + 18 = 52 down to 212 − 12 − 36 = 164, and end at 324 − 12 = 312 without labels.
 */
import type { ChartOptions } from '../../src/charts/parts/figure.ts';
import type { VNode } from '../../src/charts/preact.d.ts';
import { renderSvg } from '../../src/charts/render.ts';

const theme = {
  paper: 'paper',
  ink: 'ink',
  muted: 'muted',
  grid: 'grid',
  series: ['first', 'second', 'third'],
  accent: 'accent',
  error: 'error',
  onArea: 'on-area',
};

export const SMALL: ChartOptions = { width: 324, height: 212, theme, hasNotes: false };

/** The elements under the title of a chart without subtitle, one per line, without quotation marks. */
export const listElements = (chart: VNode): string =>
  renderSvg(chart)
    .replace(/^.*?<\/text><text [^>]*><\/text>/, '')
    .replaceAll(/<\/\w+>|"/g, '')
    .replaceAll('<', '\n');
