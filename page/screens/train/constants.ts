/** Constants that `scripts/page/forms.ts` puts into the bundle. */
import { createTree, type Group, type Setting } from './form/options.ts';
import type { Schema } from './form/schema.ts';
import { readSetting } from './form/setting.ts';

declare const TRAINING_SCHEMA: Schema;
declare const SEARCH_SCHEMA: Schema;
declare const SHARED_OPTIONS: readonly string[];
declare const RECIPES: Readonly<Record<string, unknown>>;

/** Requests of examples/recipes and examples/searches, by name. */
export const recipes = RECIPES;

/** The setting with which the form sends the request of a job, a search or a recipe again. */
export const settingOfRequest = (request: unknown): Setting =>
  readSetting(request, [TRAINING_SCHEMA, SEARCH_SCHEMA]);

export const trainingTree = (setting: Setting): Group => createTree(TRAINING_SCHEMA, setting) as Group;
export const searchTree = (setting: Setting): Group => createTree(SEARCH_SCHEMA, setting) as Group;
export const isShared = (name: string): boolean => SHARED_OPTIONS.includes(name);

/** The values of an option of the network that is one of several names. */
export const networkChoices = (option: 'activation' | 'init' | 'norm'): readonly string[] =>
  TRAINING_SCHEMA.properties!['network']!.properties![option]!.enum!;
