/** The frame of every chart: size, title, description, notes, and the area that is left for the drawing. */
import type { VNode } from 'preact';
import type { Box } from './box.ts';
import { type Child, element } from './element.ts';
import { FONT_FAMILY, fitText, TEXT_SIZE, text, textWidth, wrapText } from './text.ts';
import type { Theme } from './theme.ts';

export interface ChartOptions {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  /** False if the description is shown beside the chart: it has the notes. */
  readonly hasNotes?: boolean;
}

export interface Caption {
  readonly title: string;
  /** Shown beside the title: the model, the job. */
  readonly subtitle: string;
  /** One sentence with the main numbers, for readers who do not see the chart; absent if a note has them. */
  readonly description?: string;
  /** Sentences under the chart. */
  readonly notes?: readonly string[];
}

const MARGIN = 12;
const TITLE = { size: 14, bold: true };
const LINE_HEIGHT = 14;
/** Notes take at most this fraction of the height beyond what a drawing needs. */
const NOTES = 0.3;
const MIN_DRAWING = 120;

/** @param draw fills the area within the margins, under the title and above the notes */
export function figure(
  { title, subtitle, description, notes = [] }: Caption,
  { width, height, theme, hasNotes = true }: ChartOptions,
  draw: (area: Box) => Child,
): VNode {
  const inner = width - 2 * MARGIN;
  const lines = fittingNotes(
    hasNotes ? notes : [],
    inner,
    Math.max(0, Math.floor(((height - MIN_DRAWING) * NOTES) / LINE_HEIGHT)),
  );
  const bottom = height - MARGIN - lines.length * LINE_HEIGHT;
  const titled = fitText(title, inner, TITLE);
  // Beside the title if there is room, so that small charts keep their height.
  const beside = textWidth(titled, TITLE) + 12 + textWidth(subtitle) <= inner;
  const muted = { fill: theme.muted };
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': FONT_FAMILY,
      'font-size': TEXT_SIZE,
      fill: theme.ink,
    },
    element('title', {}, subtitle === '' ? title : `${title}: ${subtitle}`),
    element('desc', {}, [...(description === undefined ? [] : [description]), ...notes].join(' ')),
    element('rect', { width, height, fill: theme.paper }),
    text(MARGIN, 22, titled, { 'font-size': TITLE.size, 'font-weight': 'bold' }),
    beside
      ? text(width - MARGIN, 22, subtitle, { ...muted, 'text-anchor': 'end' })
      : text(MARGIN, 37, fitText(subtitle, inner), muted),
    draw({ left: MARGIN, top: beside || subtitle === '' ? 34 : 48, right: width - MARGIN, bottom }),
    lines.map((line, i) => text(MARGIN, bottom + (i + 1) * LINE_HEIGHT, line, muted)),
  );
}

/** The first notes that fit into `count` lines. A small chart keeps its height; its description holds all notes. */
function fittingNotes(notes: readonly string[], width: number, count: number): string[] {
  const lines: string[] = [];
  for (const note of notes) {
    const wrapped = wrapText(note, width);
    if (lines.length + wrapped.length > count) break;
    lines.push(...wrapped);
  }
  return lines;
}
