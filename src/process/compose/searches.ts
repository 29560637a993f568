/** Searches for good settings, whose trials are training jobs. */

import { createSearchService } from '../../services/searches/lifecycle.ts';
import { createSearchRunner } from '../../services/searches/runner.ts';
import type { Base } from './base.ts';
import type { Models } from './models.ts';
import type { Training } from './training.ts';

export type Searches = ReturnType<typeof buildSearches>;

export function buildSearches(base: Base, { services: { models } }: Models, training: Training) {
  const { config, log, store, catalog, capacity } = base;
  const { queue, resolve, predictTime } = training;
  const slots = () => capacity().slots;
  const { keepCheckpoints } = config;
  const runner = createSearchRunner({ store, catalog, queue, keepCheckpoints, slots, log });
  return {
    runner,
    services: {
      searches: createSearchService({ store, catalog, resolve, models, runner, predictTime, slots }),
    },
  };
}
