/** The state of the form: the address holds it, so reload, back and forward keep it. */
import { signal } from '@preact/signals';
import { query, replaceQuery } from '../../router.ts';
import { isShared, searchTree, trainingTree } from './constants.ts';
import { buildValue, findTree, type Group, type Setting, visibleOptions } from './options.ts';
import { formatSetting, parseSetting } from './setting.ts';
import { buildVariation } from './vary.ts';

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

/** @param dataset the first data set of the service, which is chosen by default */
export function readForm(dataset: string): Form {
  const setting: Setting = { '/dataset': dataset, ...secrets.value, ...parseSetting(query.value) };
  const all = trainingTree(setting);
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
