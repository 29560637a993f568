/** The document model of lab reports and model cards: sections of blocks, written as HTML or Markdown. */
import type { Theme } from '../../charts/parts/theme.ts';
import type { VNode } from '../../charts/preact.d.ts';

/** A number as it is shown; HTML holds all its digits besides. */
export interface Figure {
  readonly value: number;
  readonly shown: string;
}

export type Inline =
  | string
  | Figure
  | { readonly code: string }
  | { readonly strong: Inline }
  | readonly Inline[];

export type Block =
  | { readonly kind: 'text'; readonly text: readonly Inline[] }
  | { readonly kind: 'quote'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'heading'; readonly title: string }
  | {
      readonly kind: 'table';
      readonly heading: readonly string[];
      readonly rows: readonly (readonly Inline[])[];
    }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'charts'; readonly charts: readonly Chart[] }
  | { readonly kind: 'images'; readonly images: readonly Image[]; readonly isWide: boolean };

export interface Chart {
  readonly title: string;
  /** URL of the plot in the API. */
  readonly url: string;
  readonly draw: (theme: Theme) => VNode;
}

export interface Image {
  readonly alt: string;
  readonly caption: string;
  /** URL of the image in the API. */
  readonly url: string;
  /** null if pictures are links. */
  readonly png: Buffer | null;
}

export interface Section {
  /** null for the first section. It follows the title of the document. */
  readonly title: string | null;
  readonly blocks: readonly Block[];
}

/** `Array.isArray` does not narrow read-only arrays. */
export const isParts = (part: Inline): part is readonly Inline[] => Array.isArray(part);

export const text = (...parts: readonly Inline[]): Block => ({ kind: 'text', text: parts });

/** A paragraph as a template, in which a line break is a space. */
export function prose(strings: TemplateStringsArray, ...parts: readonly Inline[]): Block {
  const spaced = strings.map((string) => string.replaceAll(/\s*\n\s*/g, ' '));
  return text(
    ...spaced.flatMap((string, i) => [string, ...parts.slice(i, i + 1)]).filter((part) => part !== ''),
  );
}

export const codeBlock = (language: string, ...lines: readonly string[]): Block => ({
  kind: 'code',
  language,
  text: lines.join('\n'),
});

export const table = (heading: readonly string[], rows: readonly (readonly Inline[])[]): Block => ({
  kind: 'table',
  heading,
  rows,
});

/** A table of names and values; a row that is null is left out. */
export const properties = (rows: readonly (readonly [string, Inline] | null)[]): Block =>
  table(
    ['property', 'value'],
    rows.filter((row) => row !== null),
  );

/** Shown for a number that does not exist. */
export const NONE = '–';

/** With four decimals, or a dash. */
export const decimal = (value: number | null): Inline =>
  value === null ? NONE : { value, shown: value.toFixed(4) };

/** With two decimals and an exponent. */
export const scientific = (value: number): Figure => ({ value, shown: value.toExponential(2) });

export const whole = (value: number): Figure => ({ value, shown: value.toLocaleString('en') });

/** The ends of an interval. */
export const range = ({ low, high }: { readonly low: number; readonly high: number }): Inline => [
  decimal(low),
  ' to ',
  decimal(high),
];
