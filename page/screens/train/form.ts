/** The state of the form: the address holds it, so reload, back and forward keep it. */
import { signal } from '@preact/signals';
import type { DatasetSummary } from '../../../src/domain/datasets/representation.ts';
import { query, replaceQuery } from '../../router.ts';
import { isShared, searchTree, trainingTree } from './constants.ts';
import {
  buildValue,
  findTree,
  type Group,
  type Leaf,
  omitOptions,
  type Setting,
  visibleOptions,
} from './form/options.ts';
import { formatSetting, parseSetting } from './form/setting.ts';
import { buildVariation } from './form/vary.ts';

/** Options that need a validation split. */
const OF_SPLIT = ['/training/validation/split', '/training/trainOnValidation'];

/** Texts that must not be in an address. */
const secrets = signal<Setting>({});
const isSecret = (pointer: string) => pointer.endsWith('/secret');

export interface Form {
  readonly setting: Setting;
  readonly isSearch: boolean;
  /** The options of a training, and those that only a search has. */
  readonly training: Group;
  readonly search: Group;
  /** Where the request is sent. */
  readonly path: '/v1/training-jobs' | '/v1/searches';
  readonly body: Readonly<Record<string, unknown>>;
}

export const varyPointer = (pointer: string): string => `/vary${pointer}`;

/** @param datasets of the service; the setting may choose one of them */
export function readForm(datasets: readonly DatasetSummary[]): Form {
  const preset = (datasets.find(({ id }) => id === 'fashion-mnist') ?? datasets[0])?.id ?? '';
  const written: Setting = { '/dataset': preset, ...secrets.value, ...parseSetting(query.value) };
  const dataset = datasets.find(({ id }) => id === written['/dataset']);
  const setting: Setting = {
    ...(dataset && { ...smallBatches(dataset), ...heldOutSplit(dataset) }),
    ...written,
  };
  const isSplit = dataset === undefined || dataset.splits.validation !== undefined;
  const all = isSplit ? trainingTree(setting) : omitOptions(trainingTree(setting), OF_SPLIT);
  const varied = visibleOptions(all).filter(({ pointer }) => setting[varyPointer(pointer)] !== undefined);
  const isSearch = varied.length > 0;
  const training = isSearch ? { ...all, children: all.children.filter(({ name }) => isShared(name)) } : all;
  const search = searchTree(setting);
  const shared = (buildValue(training) ?? {}) as Record<string, unknown>;
  const method = findTree(search, '/method');
  const isGrid = method?.kind === 'union' && method.chosen === 'grid';
  const vary = varied.flatMap((leaf) =>
    leaf.kind === 'leaf' ? [buildVariation(leaf, setting[varyPointer(leaf.pointer)]!, isGrid)] : [],
  );
  return {
    setting,
    isSearch,
    training,
    search,
    path: isSearch ? '/v1/searches' : '/v1/training-jobs',
    body: isSearch ? { ...shared, vary, ...(buildValue(search) as object | undefined) } : shared,
  };
}

/** The batch size of a data set that is too small for the default: a power of two, at most half of the images. */
function smallBatches({ splits: { train } }: DatasetSummary): Setting {
  const option = findTree(trainingTree({}), '/training/batchSize') as Leaf;
  // A tenth of the images is held out by default.
  if (0.9 * train.examples >= Number(option.default)) return {};
  return { [option.pointer]: String(2 ** Math.floor(Math.log2(Math.max(1, train.examples / 2)))) };
}

/** The default of the service, so that its control shows what happens. */
function heldOutSplit({ splits: { validation } }: DatasetSummary): Setting {
  return validation === undefined ? {} : { '/training/validation/split': 'true' };
}

/** Sets the text of an option, or with null its default. */
export function setOption(pointer: string, text: string | null): void {
  const { [pointer]: _, ...rest } = isSecret(pointer) ? secrets.value : parseSetting(query.value);
  const setting = text === null ? rest : { ...rest, [pointer]: text };
  if (isSecret(pointer)) secrets.value = setting;
  else replaceQuery(formatSetting(setting));
}

/** Replaces the whole setting. */
export function loadSetting(setting: Setting): void {
  const entries = Object.entries(setting);
  secrets.value = Object.fromEntries(entries.filter(([pointer]) => isSecret(pointer)));
  replaceQuery(formatSetting(Object.fromEntries(entries.filter(([pointer]) => !isSecret(pointer)))));
}
