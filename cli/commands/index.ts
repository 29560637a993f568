/** All commands, in the order of the help. Each is loaded when it is used, since most of the time of a command is its start. */
import type { Command } from '../command.ts';

export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  upload: async () => (await import('./datasets.ts')).upload,
  datasets: async () => (await import('./datasets.ts')).datasets,
  train: async () => (await import('./train.ts')).train,
  search: async () => (await import('./search.ts')).search,
  jobs: async () => (await import('./jobs.ts')).jobs,
  job: async () => (await import('./jobs.ts')).job,
  pause: async () => (await import('./changes.ts')).pause,
  resume: async () => (await import('./changes.ts')).resume,
  cancel: async () => (await import('./changes.ts')).cancel,
  models: async () => (await import('./models.ts')).models,
  model: async () => (await import('./models.ts')).model,
  promote: async () => (await import('./aliases.ts')).promote,
  rollback: async () => (await import('./aliases.ts')).rollback,
  evaluate: async () => (await import('./checks.ts')).evaluate,
  calibrate: async () => (await import('./checks.ts')).calibrate,
  predict: async () => (await import('./predict.ts')).predict,
  import: async () => (await import('./files.ts')).importModel,
  export: async () => (await import('./files.ts')).exportModel,
  check: async () => (await import('./checks.ts')).check,
  verify: async () => (await import('./verify.ts')).verify,
  delete: async () => (await import('./changes.ts')).remove,
};
