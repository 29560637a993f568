/** Everything that the runs of training jobs use. */
import type { Catalog } from '../../datasets/catalog.ts';
import type { VersionReference } from '../../domain/models/reference.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { TrainingThreads } from '../../workers/training/kept-threads.ts';
import type { JobLogger } from '../events/log.ts';
import type { MemoryLedger } from '../memory/ledger.ts';
import type { ModelService } from '../models/catalog.ts';
import type { Judge } from '../models/judge.ts';
import type { LoadDistillation } from '../training/teachers.ts';
import type { Waits } from './waits.ts';

export interface TrainingContext {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly models: ModelService;
  readonly memory: MemoryLedger;
  readonly threads: TrainingThreads;
  readonly waits: Waits<'storage'>;
  readonly judge: Judge;
  readonly loadDistillation: LoadDistillation;
  /** Called after a version was published. */
  readonly onPublished: (model: VersionReference) => void;
  /** Id of this replica; only needed if several share the database. */
  readonly runner?: string;
  readonly log: JobLogger;
}
