/** Plots and lab reports: bring together what jobs, models and searches have stored. */

import { createPlotService } from '../../services/inspection/plots.ts';
import { createLabReportService } from '../../services/reports/collect.ts';
import { createReportPictures } from '../../services/reports/pictures.ts';
import type { Base } from './base.ts';
import type { Models } from './models.ts';
import type { Searches } from './searches.ts';
import type { Training } from './training.ts';

export function buildReports(
  { store, catalog, threads }: Base,
  { services: { models, gradients, evaluations, sgdPaths, testSets, interpretability } }: Models,
  { services: { training } }: Training,
  { services: { searches } }: Searches,
) {
  return {
    services: {
      plots: createPlotService(training, evaluations, sgdPaths, threads.numeric),
      labReports: createLabReportService({
        store,
        catalog,
        models,
        gradients,
        evaluations,
        paths: sgdPaths,
        testSets,
        searches,
      }),
      drawReportPictures: createReportPictures(catalog, interpretability),
    },
  };
}
