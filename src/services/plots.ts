/** Plots of training jobs and model versions: SVG on the main thread, which takes about a millisecond, PNG in a worker. */
import type { EpochRecord } from '../domain/epoch-record.ts';
import { isEnded } from '../domain/job-status.ts';
import type { VersionName } from '../domain/model-reference.ts';
import {
  type JobPlot,
  type JobPlotQuery,
  MAX_PLOT_PIXELS,
  type PathPlotQuery,
  type PlotQuery,
  type VersionPlot,
  type VersionPlotQuery,
} from '../domain/plots.ts';
import type { TrainingJob } from '../domain/training-job.ts';
import { AtelierError } from '../errors.ts';
import { drawClassBars } from '../formats/charts/class-bars.ts';
import { drawConfusion } from '../formats/charts/confusion.ts';
import { drawDeadUnits } from '../formats/charts/dead-units.ts';
import { drawEpochs } from '../formats/charts/epochs.ts';
import type { ChartOptions } from '../formats/charts/figure.ts';
import { plotNames } from '../formats/charts/plot-names.ts';
import type { VNode } from '../formats/charts/preact.d.ts';
import { drawReliability } from '../formats/charts/reliability.ts';
import { renderSvg } from '../formats/charts/render.ts';
import { drawSgdPath } from '../formats/charts/sgd-path.ts';
import { THEMES } from '../formats/charts/theme.ts';
import type { Pool } from '../workers/pool.ts';
import type { NumericTasks } from '../workers/tasks.ts';
import type { EvaluationService } from './evaluations.ts';
import type { SgdPathService } from './sgd-paths.ts';
import type { TrainingService } from './training.ts';

/** Height without `height`, in pixels. */
const HEIGHTS: Readonly<Record<JobPlot | VersionPlot | 'path', number>> = {
  path: 480,
  loss: 400,
  accuracy: 400,
  'learning-rate': 320,
  'gradient-norm': 320,
  'weight-norm': 320,
  'dead-units': 320,
  confusion: 560,
  calibration: 480,
  classes: 480,
};

/** The jobs of a plot, and the last epoch of each. */
export interface PlottedJobs {
  readonly jobs: readonly TrainingJob[];
  readonly epochs: readonly number[];
  /** Whether the plot never changes: every job has ended. */
  readonly isFinal: boolean;
}

export interface Plot {
  readonly svg: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export interface PlotService {
  /**
   * Finds the jobs of a plot without reading their epochs.
   * @throws AtelierError `training-job-not-found`, or `impossible-request` for another job that does not exist and for a
   *   job without an epoch
   */
  findJobs(id: string, query: JobPlotQuery): Promise<PlottedJobs>;
  /** @throws AtelierError `impossible-request` for dead units of a network without hidden layers */
  drawJobs(plot: JobPlot, plotted: PlottedJobs, query: JobPlotQuery): Promise<Plot>;
  /**
   * Computes the path, if it is not cached.
   * @throws AtelierError as `SgdPathService.compute`
   */
  drawPath(job: TrainingJob, query: PathPlotQuery, signal: AbortSignal): Promise<Plot>;
  /**
   * Evaluates the version, if its result is not cached.
   * @throws AtelierError as `EvaluationService.evaluate`
   */
  drawVersion(
    plot: VersionPlot,
    model: { readonly name: string; readonly version: VersionName },
    query: VersionPlotQuery,
    signal: AbortSignal,
    caller: string,
  ): Promise<Plot & { readonly version: number }>;
  /** @throws AtelierError `impossible-request` above the limit of pixels */
  toPng(plot: Plot, density: number, signal: AbortSignal): Promise<Buffer>;
}

export function createPlotService(
  training: Pick<TrainingService, 'get' | 'getMany' | 'metrics' | 'lastEpoch'>,
  evaluations: Pick<EvaluationService, 'evaluate'>,
  paths: SgdPathService,
  numeric: Pick<Pool<NumericTasks>, 'run'>,
): PlotService {
  async function findOthers(id: string, ids: readonly string[]): Promise<TrainingJob[]> {
    const others = ids.filter((other, i) => other !== id && ids.indexOf(other) === i);
    const found = new Map((await training.getMany(others)).map((job) => [job.id, job]));
    return others.map((other) => {
      const job = found.get(other);
      if (job) return job;
      throw impossible(
        `Training job ${other}, listed by the parameter with, does not exist.`,
        'with',
        'must be existing training jobs',
      );
    });
  }

  return {
    async findJobs(id, query) {
      const jobs = [await training.get(id), ...(await findOthers(id, query.with?.split(',') ?? []))];
      const epochs = await Promise.all(jobs.map((job) => training.lastEpoch(job.id)));
      const empty = jobs[epochs.indexOf(0)];
      if (empty) throw withoutEpoch(empty, empty.id === id ? 'id' : 'with');
      return { jobs, epochs, isFinal: jobs.every(({ status }) => isEnded(status)) };
    },

    async drawJobs(plot, { jobs, epochs }, query) {
      const records = await Promise.all(
        jobs.map(({ id }, i) => training.metrics(id, epochs[i]! - (query.last ?? epochs[i]!))),
      );
      const options = toOptions(plot, query);
      return { svg: renderSvg(drawJobPlot(plot, jobs, records, query, options)), ...sizeOf(options) };
    },

    async drawPath(job, query, signal) {
      const { snapshots, grid, examples, margin } = query;
      const path = await paths.compute(job, { snapshots, grid, examples, margin }, signal);
      const options = toOptions('path', query);
      const subtitle = `${job.modelName} · ${job.id}`;
      return { svg: renderSvg(drawSgdPath({ subtitle, ...path }, options)), ...sizeOf(options) };
    },

    async drawVersion(plot, model, query, signal, caller) {
      const { report, ...evaluated } = await evaluations.evaluate(model, query, signal, caller);
      const { name, version } = evaluated.model;
      const { classNames, dataset } = evaluated;
      const subtitle = `${name}@${version} · ${query.split} split of ${dataset.id}`;
      const options = toOptions(plot, query);
      const draw: Readonly<Record<VersionPlot, () => VNode>> = {
        confusion: () => drawConfusion({ subtitle, classNames, matrix: report.confusion }, options),
        calibration: () => {
          const { bins, expectedError } = report.calibration;
          return drawReliability({ subtitle, bins, expectedCalibrationError: expectedError }, options);
        },
        classes: () => {
          const classes = report.classes.map((each, label) => ({ ...each, className: classNames[label]! }));
          return drawClassBars({ subtitle, classes }, options);
        },
      };
      return { svg: renderSvg(draw[plot]()), ...sizeOf(options), version };
    },

    async toPng({ svg, width, height }, density, signal) {
      if (width * height * density ** 2 > MAX_PLOT_PIXELS) {
        const limit = MAX_PLOT_PIXELS.toLocaleString('en');
        throw impossible(
          `A PNG of ${width * density} × ${height * density} pixels is too large: at most ${limit} pixels are drawn. Use a smaller density.`,
          'density',
          `width × height × density² must be at most ${limit}`,
        );
      }
      const png = await numeric.run('drawPlot', { svg, width, height, density }, signal);
      return Buffer.from(png.buffer, png.byteOffset, png.byteLength);
    },
  };
}

function toOptions(plot: keyof typeof HEIGHTS, { width, height, theme }: PlotQuery): ChartOptions {
  return { width, height: height ?? HEIGHTS[plot], theme: THEMES[theme] };
}

const sizeOf = ({ width, height }: ChartOptions) => ({ width, height });

function drawJobPlot(
  plot: JobPlot,
  jobs: readonly TrainingJob[],
  records: readonly (readonly EpochRecord[])[],
  { scale }: JobPlotQuery,
  options: ChartOptions,
): VNode {
  const names = plotNames(jobs);
  const [first] = jobs;
  const subtitle = jobs.length === 1 ? `${first!.modelName} · ${first!.id}` : `${jobs.length} training jobs`;
  const trainings = jobs.map(({ network }, i) => ({
    name: names[i]!,
    records: records[i]!,
    hidden: network.hidden,
  }));
  if (plot !== 'dead-units') {
    return drawEpochs(plot, { subtitle, trainings, scale, testLooks: countLooks(records[0]!) }, options);
  }
  const shallow = jobs.find(({ network }) => network.hidden.length === 0);
  if (shallow) throw impossible(`The network of training job ${shallow.id} has no hidden layers.`);
  return drawDeadUnits({ subtitle, trainings }, options);
}

/** Each epoch with a test result is a look, also those before the first record. */
function countLooks(records: readonly EpochRecord[]): number {
  const measured = records.filter(({ testLoss }) => testLoss !== null);
  return measured.length === records.length ? records.at(-1)!.epoch : measured.length;
}

function withoutEpoch({ id, status }: TrainingJob, parameter: string): AtelierError {
  const advice = isEnded(status) ? 'It has nothing to draw' : 'Try again after its first epoch';
  return impossible(
    `Training job ${id} is ${status} and has not completed an epoch. ${advice}.`,
    parameter,
    'must be a training job with at least one epoch',
  );
}

function impossible(message: string, parameter?: string, detail = ''): AtelierError {
  return new AtelierError('impossible-request', message, {
    details: parameter === undefined ? [] : [{ parameter, detail }],
  });
}
