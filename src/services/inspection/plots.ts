/** Plots of training jobs and model versions: SVG on the main thread, in about a millisecond, PNG in a worker. */
import { isEnded } from '../../domain/jobs/status.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import type { VersionName } from '../../domain/models/reference.ts';
import {
  type JobPlot,
  type JobPlotQuery,
  MAX_PLOT_PIXELS,
  type PathPlotQuery,
  RANKING_PLOTS,
  type RankingPlot,
  type VersionPlot,
  type VersionPlotQuery,
} from '../../domain/reports/plots.ts';
import { AtelierError } from '../../errors.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { TrainingService } from '../training/jobs.ts';
import type { Plot } from './draw-plots.ts';
import type { EvaluationService } from './evaluations.ts';
import type { SgdPathService } from './sgd-paths.ts';

/** The jobs of a plot, and the last epoch of each. */
export interface PlottedJobs {
  readonly jobs: readonly TrainingJob[];
  readonly epochs: readonly number[];
  /** Whether the plot never changes: every job has ended. */
  readonly isFinal: boolean;
}

export type PlotService = ReturnType<typeof createPlotService>;

/** Loaded on demand, as few processes draw. */
const loadDrawing = () => import('./draw-plots.ts');

export function createPlotService(
  training: Pick<TrainingService, 'get' | 'getMany' | 'metrics' | 'lastEpoch'>,
  evaluations: Pick<EvaluationService, 'evaluate' | 'rank' | 'measureCoverage'>,
  paths: SgdPathService,
  numeric: Pick<NumericPool, 'run'>,
) {
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
    /**
     * Finds the jobs of a plot without reading their epochs.
     * @throws AtelierError `training-job-not-found`, or `impossible-request` for another job that does not exist and for a
     *   job without an epoch
     */
    async findJobs(id: string, query: JobPlotQuery) {
      const jobs = [await training.get(id), ...(await findOthers(id, query.with?.split(',') ?? []))];
      const epochs = await Promise.all(jobs.map((job) => training.lastEpoch(job.id)));
      const empty = jobs[epochs.indexOf(0)];
      if (empty) throw withoutEpoch(empty, empty.id === id ? 'id' : 'with');
      return { jobs, epochs, isFinal: jobs.every(({ status }) => isEnded(status)) };
    },

    /** @throws AtelierError `impossible-request` for dead units of a network without hidden layers */
    async drawJobs(plot: JobPlot, { jobs, epochs }: PlottedJobs, query: JobPlotQuery) {
      const records = await Promise.all(
        jobs.map(({ id }, i) => training.metrics(id, epochs[i]! - (query.last ?? epochs[i]!))),
      );
      return (await loadDrawing()).drawJobPlot(plot, jobs, records, query);
    },

    /**
     * Computes the path, if it is not cached.
     * @throws AtelierError as `SgdPathService.compute`
     */
    async drawPath(job: TrainingJob, query: PathPlotQuery, signal: AbortSignal) {
      const { snapshots, grid, examples, margin } = query;
      const path = await paths.compute(job, { snapshots, grid, examples, margin }, signal);
      return (await loadDrawing()).drawPathPlot(job, path, query);
    },

    /**
     * Evaluates the version, if its result is not cached.
     * @throws AtelierError as `EvaluationService.evaluate` and, for the coverage, `not-calibrated`
     */
    async drawVersion(
      plot: VersionPlot,
      model: { readonly name: string; readonly version: VersionName },
      query: VersionPlotQuery,
      signal: AbortSignal,
      caller: string,
    ) {
      const drawing = await loadDrawing();
      if (plot === 'coverage') {
        const measured = await evaluations.measureCoverage(model, query, signal, caller);
        return { ...drawing.drawCoveragePlot(measured, query), version: measured.model.version };
      }
      if (isRankingPlot(plot)) {
        const ranked = await evaluations.rank(model, query, signal, caller);
        return { ...drawing.drawRankingPlot(plot, ranked, query), version: ranked.model.version };
      }
      const evaluated = await evaluations.evaluate(model, query, signal, caller);
      const drawn = drawing.drawVersionPlot(plot, evaluated, query);
      return { ...drawn, version: evaluated.model.version };
    },

    /** @throws AtelierError `impossible-request` above the limit of pixels */
    async toPng({ svg, width, height }: Plot, density: number, signal: AbortSignal) {
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

const isRankingPlot = (plot: VersionPlot): plot is RankingPlot =>
  (RANKING_PLOTS as readonly VersionPlot[]).includes(plot);

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
