/** Plans a search: proposes its settings and checks that each of them can be trained. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { ResolvedTrainingRequest } from '../../domain/jobs/request.ts';
import {
  describeConflicts,
  findCountConflicts,
  findProposalConflicts,
  findRangeConflicts,
  findTrialConflicts,
  findVariationConflicts,
  locate,
  parseTrial,
} from '../../domain/searches/conflicts.ts';
import type { SearchRequest } from '../../domain/searches/request.ts';
import { plannedEpochs, rungEpochs, trialsWithin } from '../../domain/searches/rungs.ts';
import { firstSetting, proposeSettings, type Setting } from '../../domain/searches/settings.ts';
import { AtelierError, type ErrorDetail } from '../../errors.ts';
import type { SearchPlan } from '../../store/searches/rows.ts';
import { countImages } from '../training/examples.ts';
import type { ResolveTraining } from '../training/resolve-request.ts';

type Conflict = Extract<ErrorDetail, { pointer: string }>;

/** A plan with the training requests of its settings. The requests are not stored. */
export interface PlannedSearch {
  readonly plan: SearchPlan;
  readonly requests: readonly ResolvedTrainingRequest[];
}

/** Settings that are checked before other work gets a turn. */
const CHECKED_AT_ONCE = 50;

/**
 * @throws AtelierError `invalid-request` for a setting that no training request can have, `impossible-request` for conflicting
 *   options, each with a pointer into the search request; and the errors of the training request
 */
export async function planSearch(
  request: SearchRequest,
  dataset: Dataset,
  resolve: ResolveTraining,
): Promise<PlannedSearch> {
  reject('impossible-request', findVariationConflicts(request));
  reject('invalid-request', findRangeConflicts(request));
  const miscounted = findCountConflicts(request);
  if (miscounted.length > 0) {
    // A path that does not exist explains more than the number of settings.
    const parsed = parseTrial(request, firstSetting(request), 1);
    if ('conflicts' in parsed) throw rejection('invalid-request', parsed.conflicts);
    reject('impossible-request', miscounted);
  }
  const all = proposeSettings(request);
  reject('impossible-request', findProposalConflicts(request, all));
  const trials: ResolvedTrainingRequest[] = [];
  for (const [n, setting] of all.entries()) {
    trials.push(await checkTrial(request, setting, n + 1, dataset, resolve));
    if (n % CHECKED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const count = countWithinBudget(request, trials);
  const kept = trials.slice(0, count);
  const epochs = kept.map(({ training }) => training.epochs);
  return {
    plan: {
      settings: all.slice(0, count),
      rungs: rungEpochs(request.halving, Math.max(...epochs)),
      validationImages: countImages(kept[0]!, dataset).heldOut,
      plannedEpochs: plannedEpochs(epochs, request),
      checked: firstOfEachShape(kept),
    },
    requests: kept,
  };
}

async function checkTrial(
  request: SearchRequest,
  setting: Setting,
  trial: number,
  dataset: Dataset,
  resolve: ResolveTraining,
): Promise<ResolvedTrainingRequest> {
  const at = (conflicts: readonly Conflict[]) => locate(request, setting, trial, conflicts);
  const parsed = parseTrial(request, setting, trial);
  if ('conflicts' in parsed) throw rejection('invalid-request', parsed.conflicts);
  reject(
    'impossible-request',
    at(findTrialConflicts(request, parsed.request, countImages(parsed.request, dataset).heldOut)),
  );
  try {
    return (await resolve(parsed.request)).request;
  } catch (error) {
    if (!(error instanceof AtelierError)) throw error;
    if (error.code !== 'impossible-request' && error.code !== 'unknown-model') throw error;
    throw rejection(error.code, at(error.details.filter((detail) => 'pointer' in detail)), error);
  }
}

/** Random settings beyond the budget of epochs are left out. */
function countWithinBudget(request: SearchRequest, trials: readonly ResolvedTrainingRequest[]): number {
  const { budget, method } = request;
  if (budget?.epochs === undefined) return trials.length;
  const epochs = trials.map(({ training }) => training.epochs);
  const count = trialsWithin(budget.epochs, epochs, request);
  if (method.type === 'grid' ? count === trials.length : count >= 2) return count;
  const needed = plannedEpochs(method.type === 'grid' ? epochs : epochs.slice(0, 2), request);
  const what = method.type === 'grid' ? 'all settings of the grid' : 'two settings';
  throw rejection('impossible-request', [
    { pointer: '#/budget/epochs', detail: `must be at least ${needed}: ${what} take as many` },
  ]);
}

/** Networks of one shape and activation have the same gradient check. */
function firstOfEachShape(trials: readonly ResolvedTrainingRequest[]): number[] {
  const seen = new Set<string>();
  return trials.flatMap(({ network }, n) => {
    const shape = JSON.stringify([network.convolutions, network.norm, network.hidden, network.activation]);
    if (seen.has(shape)) return [];
    seen.add(shape);
    return n + 1;
  });
}

function reject(code: 'invalid-request' | 'impossible-request', conflicts: readonly Conflict[]): void {
  if (conflicts.length > 0) throw rejection(code, conflicts);
}

function rejection(
  code: 'invalid-request' | 'impossible-request' | 'unknown-model',
  conflicts: readonly Conflict[],
  cause?: unknown,
): AtelierError {
  const message = `The search cannot be started. ${describeConflicts(conflicts)}`;
  return new AtelierError(code, message, { details: conflicts, cause });
}
