/** Checks of a search request: what varies, and each trial's training request. */
import { type ErrorDetail, MAX_ERRORS } from '../../errors.ts';
import { type TrainingRequest, trainingRequestSchema } from '../jobs/request.ts';
import { describeIssues, parse } from '../messages/describe-issue.ts';
import { toSentence } from '../messages/issue-message.ts';
import { jsonPointer } from '../messages/json-pointer.ts';
import { hasEqualChoices, MAX_SETTINGS, type SearchRequest } from './request.ts';
import { countSettings, firstSetting, gridValues, rangeEnds, type Setting } from './settings.ts';
import { assembleRequest, contains, findNoIndex, findPathDefect, nameValues } from './trial-request.ts';

type Conflict = Extract<ErrorDetail, { pointer: string }>;

const MAX_TRAININGS = MAX_SETTINGS;

/** Conflicts of what varies; without any, the settings can be counted. */
export function findVariationConflicts(request: SearchRequest): Conflict[] {
  const { vary, method, halving } = request;
  const conflicts: Conflict[] = [];
  const add = (pointer: string, detail: string) => conflicts.push({ pointer, detail });
  vary.forEach((variation, n) => {
    const earlier = vary.slice(0, n).map(({ path }) => path);
    const defect = findPathDefect(variation.path, earlier);
    if (defect !== null) add(`#/vary/${n}/path`, defect);
    const name = findNoIndex(request, variation.path);
    if (name !== null)
      add(`#/vary/${n}/path`, `must have the index of an item, such as 0, instead of ${name}`);
    if (variation.choices !== undefined && hasEqualChoices(variation.choices)) {
      add(`#/vary/${n}/choices`, 'must be different, but some of them name the same versions as teachers');
    }
    if (halving !== null && variation.path === '/training/epochs') {
      add(
        `#/vary/${n}/path`,
        'must not be /training/epochs with halving: it compares trials after the same epochs',
      );
    }
    if (method.type !== 'grid') return;
    const values = gridValues(variation);
    if (values === null) add(`#/vary/${n}/points`, 'is required for a range in a grid, unless it has a step');
    else if (variation.choices === undefined && new Set(values).size < values.length) {
      const place = variation.points === undefined ? 'step' : 'points';
      add(`#/vary/${n}/${place}`, 'must give different values, but some are equal once they are rounded');
    }
  });
  return conflicts;
}

/** Ends of random ranges that no training can have, whether a setting is drawn near them or not. */
export function findRangeConflicts(request: SearchRequest): Conflict[] {
  const { vary, method } = request;
  if (method.type === 'grid') return [];
  const first = firstSetting(request);
  return vary.flatMap((variation, n) => {
    if (variation.choices !== undefined) return [];
    const ends = rangeEnds(variation);
    return (['min', 'max'] as const).flatMap((end) => {
      const parsed = parseSetting(request, first.with(n, ends[end]));
      if ('request' in parsed) return [];
      return parsed.conflicts
        .filter(({ pointer }) => contains(variation.path, pointer.slice(1)))
        .map(({ detail }) => ({ pointer: `#/vary/${n}/${end}`, detail }));
    });
  });
}

/** Conflicts of the number of settings and trainings; without any, the settings can be proposed. */
export function findCountConflicts(request: SearchRequest): Conflict[] {
  const { method, seed, repeats } = request;
  const conflicts: Conflict[] = [];
  const add = (pointer: string, detail: string) => conflicts.push({ pointer, detail });
  const settings = countSettings(request);
  if (method.type === 'random' && method.trials > settings) {
    add('#/method/trials', `must be at most ${settings}, the number of different settings`);
  }
  const trials = method.type === 'random' ? method.trials : settings;
  if (trials < 2) add('#/vary', 'must give at least two settings, but gives one');
  if (trials > MAX_SETTINGS) add('#/vary', `must give at most ${MAX_SETTINGS} settings`);
  else if (trials * repeats > MAX_TRAININGS) {
    add(
      '#/repeats',
      `must be at most ${Math.floor(MAX_TRAININGS / trials)}, so that at most ${MAX_TRAININGS} jobs train`,
    );
  }
  if (seed + repeats - 1 > 0xffffffff) add('#/repeats', 'must not lead to a seed above 4294967295');
  return conflicts;
}

/** A narrow range has fewer rounded values than its ends suggest. */
export function findProposalConflicts(
  { method }: Pick<SearchRequest, 'method'>,
  proposed: readonly Setting[],
): Conflict[] {
  if (method.type === 'grid' || proposed.length === method.trials) return [];
  const detail = `must be at most ${proposed.length}, the number of different settings once they are rounded`;
  return [{ pointer: '#/method/trials', detail }];
}

/**
 * The training request of a trial.
 * @param trial from 1, for the message
 * @returns the request with defaults, or what is wrong with it
 */
export function parseTrial(request: SearchRequest, setting: Setting, trial: number): ParsedSetting {
  const parsed = parseSetting(request, setting);
  return 'request' in parsed ? parsed : { conflicts: locate(request, setting, trial, parsed.conflicts) };
}

type ParsedSetting = { readonly request: TrainingRequest } | { readonly conflicts: Conflict[] };

/** The training request of a setting, or conflicts that point into it. */
function parseSetting(request: SearchRequest, setting: Setting): ParsedSetting {
  const sent = { ...assembleRequest(request, setting), testSet: 'never' };
  const parsed = parse(trainingRequestSchema, sent);
  if (parsed.success) return { request: parsed.data };
  const described = describeIssues(parsed.error.issues, trainingRequestSchema, sent);
  return { conflicts: described.map(({ path, detail }) => ({ pointer: jsonPointer(path), detail })) };
}

/** Conflicts of a trial with the search. */
export function findTrialConflicts(
  { halving }: SearchRequest,
  { training: { earlyStopping, budget, epochs } }: TrainingRequest,
  validationImages: number,
): Conflict[] {
  const conflicts: Conflict[] = [];
  const add = (pointer: string, detail: string) => conflicts.push({ pointer, detail });
  if (validationImages === 0) {
    add('#/training/validation', 'must hold out images in a search: it compares trials on them');
  }
  if (halving !== null) {
    if (earlyStopping !== null)
      add('#/training/earlyStopping', 'must be null with halving: it stops trials itself');
    if (budget !== null)
      add('#/training/budget', 'must be null with halving; limit the search by its own budget');
    if (halving.minEpochs >= epochs) {
      add('#/halving/minEpochs', `must be less than the ${epochs} epochs of a complete trial`);
    }
  } else if (budget?.seconds !== undefined) {
    add(
      '#/training/budget/seconds',
      'must be left out of a trial, whose result does not depend on time; limit the search by its own budget',
    );
  }
  return conflicts;
}

/** Points at the variation that a conflict of a trial comes from, if there is one. Lists only as many as a problem does. */
export function locate(
  request: SearchRequest,
  setting: Setting,
  trial: number,
  conflicts: readonly Conflict[],
): Conflict[] {
  const values = Object.entries(nameValues(request, setting));
  const named = values.map(([path, value]) => `${path} = ${JSON.stringify(value)}`).join(', ');
  return conflicts.slice(0, MAX_ERRORS).map(({ pointer, detail }) => {
    const place = pointer.slice(1);
    const n = request.vary.findIndex(({ path }) => contains(path, place) || contains(place, path));
    return {
      pointer: n === -1 ? pointer : `#/vary/${n}/path`,
      detail: `in trial ${trial} with ${named}, ${pointer}${isSentence(detail) ? ':' : ''} ${detail}`,
    };
  });
}

/** Whether it is a sentence of its own, and not a predicate of the field. */
const isSentence = (detail: string) => detail.endsWith('.');

/** The conflicts as sentences. */
export function describeConflicts(conflicts: readonly Conflict[]): string {
  return conflicts.map(({ pointer, detail }) => `${pointer}: ${toSentence(detail)}`).join(' ');
}
