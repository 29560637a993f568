/** Plots of training jobs, model versions and searches: their names and the options of a query. `formats/charts` draws them. */
import { z } from 'zod';
import { evaluationQuerySchema } from '../checks/evaluation.ts';
import { sgdPathQuerySchema } from '../checks/sgd-path.ts';
import { isJobId } from '../models/reference.ts';
import { wholeNumber } from '../primitives.ts';

/** Line charts of a training by epoch. */
export const EPOCH_PLOTS = ['loss', 'accuracy', 'learning-rate', 'gradient-norm', 'weight-norm'] as const;
export type EpochPlot = (typeof EPOCH_PLOTS)[number];
export const JOB_PLOTS = [...EPOCH_PLOTS, 'dead-units'] as const;
export type JobPlot = (typeof JOB_PLOTS)[number];
/** Plots of the classification report, of the ranking and of the coverage of a version. */
export const REPORT_PLOTS = ['confusion', 'calibration', 'classes'] as const;
export const RANKING_PLOTS = ['roc', 'precision-recall', 'answered'] as const;
export const VERSION_PLOTS = [...REPORT_PLOTS, ...RANKING_PLOTS, 'coverage'] as const;
export type ReportPlot = (typeof REPORT_PLOTS)[number];
export type RankingPlot = (typeof RANKING_PLOTS)[number];
export type VersionPlot = (typeof VERSION_PLOTS)[number];
export const SEARCH_PLOTS = ['history', 'slices', 'rungs'] as const;
export type SearchPlot = (typeof SEARCH_PLOTS)[number];

export const PLOT_SCALES = ['linear', 'log'] as const;
export type PlotScale = (typeof PLOT_SCALES)[number];
export const PLOT_THEMES = ['light', 'dark'] as const;
export type PlotTheme = (typeof PLOT_THEMES)[number];
export const PLOT_FORMATS = ['svg', 'png'] as const;
export type PlotFormat = (typeof PLOT_FORMATS)[number];

/** Other jobs in the same plot; there are eight colours. */
export const MAX_OVERLAID = 7;
/** Pixels of a PNG. They take 4 bytes each while it is drawn. */
export const MAX_PLOT_PIXELS = 16_000_000;

/** Options of every plot. */
export const plotQuerySchema = z.strictObject({
  width: wholeNumber(240, 2000).prefault(640).describe('Width in pixels, before `density`'),
  height: wholeNumber(160, 1600).optional().describe('Height in pixels; by default what suits the plot'),
  theme: z.enum(PLOT_THEMES).default('light'),
  format: z
    .enum(PLOT_FORMATS)
    .optional()
    .describe('Takes precedence over `Accept`, for places that take only a URL'),
  density: wholeNumber(1, 4)
    .prefault(1)
    .describe('Pixels of a PNG per pixel of `width` and `height`; an SVG is sharp at any density'),
});
export type PlotQuery = z.output<typeof plotQuerySchema>;

const scale = z
  .enum(PLOT_SCALES)
  .default('linear')
  .describe('Vertical axis. On `log`, values that are not positive are gaps');

export const jobPlotQuerySchema = plotQuerySchema.extend({
  scale,
  last: wholeNumber(1, 10_000).optional().describe('Draw the last epochs only: this many'),
  with: z
    .string()
    .refine((ids) => ids.split(',').length <= MAX_OVERLAID && ids.split(',').every(isJobId), {
      message: `must be at most ${MAX_OVERLAID} ids of training jobs, separated by commas: job_…,job_…`,
    })
    .optional()
    .describe(
      `Up to ${MAX_OVERLAID} more jobs, separated by commas. Each job is then one line: validation loss or accuracy if all have it, else the training loss or accuracy`,
    ),
});
export type JobPlotQuery = z.output<typeof jobPlotQuerySchema>;

/** The scale of the colours and the epochs of a path are fixed. */
export const pathPlotQuerySchema = plotQuerySchema.extend(sgdPathQuerySchema.shape);
export type PathPlotQuery = z.output<typeof pathPlotQuerySchema>;

export const versionPlotQuerySchema = plotQuerySchema.extend(evaluationQuerySchema.shape);
export type VersionPlotQuery = z.output<typeof versionPlotQuerySchema>;

export const searchPlotQuerySchema = plotQuerySchema.extend({ scale });
export type SearchPlotQuery = z.output<typeof searchPlotQuerySchema>;
