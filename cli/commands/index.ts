/** All commands, in the order of the help. */
import type { Command } from '../command.ts';
import { exportModel, importModel, upload } from './files.ts';
import { cancel, job, jobs } from './jobs.ts';
import { models } from './models.ts';
import { predict } from './predict.ts';
import { search } from './search.ts';
import { train } from './train.ts';

export const COMMANDS: Readonly<Record<string, Command>> = {
  train,
  search,
  predict,
  models,
  jobs,
  job,
  cancel,
  upload,
  import: importModel,
  export: exportModel,
};
