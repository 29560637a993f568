/** All commands, in the order of the help. */
import type { Command } from '../command.ts';
import { promote, rollback } from './aliases.ts';
import { cancel, pause, remove, resume } from './changes.ts';
import { calibrate, check, evaluate } from './checks.ts';
import { datasets, upload } from './datasets.ts';
import { exportModel, importModel } from './files.ts';
import { job, jobs } from './jobs.ts';
import { model, models } from './models.ts';
import { predict } from './predict.ts';
import { search } from './search.ts';
import { train } from './train.ts';
import { verify } from './verify.ts';

export const COMMANDS: Readonly<Record<string, Command>> = {
  upload,
  datasets,
  train,
  search,
  jobs,
  job,
  pause,
  resume,
  cancel,
  models,
  model,
  promote,
  rollback,
  evaluate,
  calibrate,
  predict,
  import: importModel,
  export: exportModel,
  check,
  verify,
  delete: remove,
};
