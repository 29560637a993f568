/** The document of a lab report: sections of blocks, which `html.ts` and `markdown.ts` write. */

import type { Theme } from '../../../charts/parts/theme.ts';
import type { VNode } from '../../../charts/preact.d.ts';
import type { EpochRecord } from '../../../domain/jobs/epoch-record.ts';
import type { LabReport, ReportSection } from '../../../domain/reports/lab-report.ts';

/** A number as it is shown; HTML holds all its digits besides. */
export interface Figure {
  readonly value: number;
  readonly shown: string;
}

export type Inline = string | Figure | { readonly code: string } | readonly Inline[];

export type Block =
  | { readonly kind: 'text'; readonly text: readonly Inline[] }
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
  readonly id: ReportSection | 'result';
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Pictures to embed, in PNG. */
export interface ReportPictures {
  readonly weights: Buffer | null;
  /** In the order of `examples` of the report. */
  readonly examples: readonly Buffer[];
  /** In the order of the mistakes of the evaluation. */
  readonly mistakes: readonly Buffer[];
}

export interface ReportInput {
  readonly report: LabReport;
  /** All epochs; the report lists the last ones. */
  readonly records: readonly EpochRecord[];
  /** Whether the job is a trial that its search stopped; its status is `cancelled`. */
  readonly isStopped: boolean;
  /** null if pictures are links. */
  readonly pictures: ReportPictures | null;
  /** Prefix of the API's paths. */
  readonly basePath: string;
  /** Address of the service without it, such as `http://localhost:3000`. */
  readonly address: string;
}

/** `Array.isArray` does not narrow read-only arrays. */
export const isParts = (part: Inline): part is readonly Inline[] => Array.isArray(part);

export const text = (...parts: readonly Inline[]): Block => ({ kind: 'text', text: parts });

export const table = (heading: readonly string[], rows: readonly (readonly Inline[])[]): Block => ({
  kind: 'table',
  heading,
  rows,
});

/** Shown for a number that does not exist. */
export const NONE = '–';

/** With four decimals, or a dash. */
export const decimal = (value: number | null): Inline =>
  value === null ? NONE : { value, shown: value.toFixed(4) };

/** With two decimals and an exponent. */
export const scientific = (value: number): Figure => ({ value, shown: value.toExponential(2) });

export const whole = (value: number): Figure => ({ value, shown: value.toLocaleString('en') });
