/** All migrations. Forward only: released migrations are never changed, new ones are added. */
import type { Migration } from 'kysely/migration';
import * as initial from './0001-initial.ts';
import * as trainingOptions from './0002-training-options.ts';
import * as checkpoints from './0003-checkpoints.ts';
import * as idempotency from './0004-idempotency.ts';
import * as registry from './0005-registry.ts';
import * as datasets from './0006-datasets.ts';
import * as receipts from './0007-receipts.ts';
import * as imports from './0008-imports.ts';
import * as jobMemory from './0009-job-memory.ts';
import * as runs from './0010-runs.ts';
import * as transfers from './0016-transfers.ts';
import * as jobLabels from './0017-job-labels.ts';
import * as preprocessing from './0018-preprocessing.ts';
import * as jobDeletion from './0019-job-deletion.ts';
import * as promotions from './0021-promotions.ts';
import * as priorities from './0022-priorities.ts';
import * as predictionJobs from './0023-prediction-jobs.ts';
import * as webhooks from './0024-webhooks.ts';
import * as looks from './0025-looks.ts';
import * as searches from './0026-searches.ts';
import * as searchState from './0027-search-state.ts';
import * as searchDeletions from './0028-search-deletions.ts';

export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-training-options': trainingOptions,
  '0003-checkpoints': checkpoints,
  '0004-idempotency': idempotency,
  '0005-registry': registry,
  '0006-datasets': datasets,
  '0007-receipts': receipts,
  '0008-imports': imports,
  '0009-job-memory': jobMemory,
  '0010-runs': runs,
  '0016-transfers': transfers,
  '0017-job-labels': jobLabels,
  '0018-preprocessing': preprocessing,
  '0019-job-deletion': jobDeletion,
  '0021-promotions': promotions,
  '0022-priorities': priorities,
  '0023-prediction-jobs': predictionJobs,
  '0024-webhooks': webhooks,
  '0025-looks': looks,
  '0026-searches': searches,
  '0027-search-state': searchState,
  '0028-search-deletions': searchDeletions,
};
