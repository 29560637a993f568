/** The options of a request as a tree, for a setting: what the form shows, and what is sent. */
import { branches, type Schema, schemaDefault, withoutNull } from './schema.ts';
import { toText, toValue } from './values.ts';

/** Texts of options that differ from their defaults, by JSON Pointer. */
export type Setting = Readonly<Record<string, string>>;

interface Option {
  /** Such as `/training/batchSize`. */
  readonly pointer: string;
  readonly name: string;
  readonly description: string;
}

/** A single control. */
export interface Leaf extends Option {
  readonly kind: 'leaf';
  readonly schema: Schema;
  /** Text of the default, or an empty one. */
  readonly default: string;
  readonly text: string;
}

/** Options that belong together. */
export interface Group extends Option {
  readonly kind: 'group';
  readonly children: readonly Tree[];
}

/** One of several groups, by its type. */
export interface Union extends Option {
  readonly kind: 'union';
  readonly types: readonly string[];
  readonly default: string;
  readonly chosen: string;
  readonly children: readonly Tree[];
}

/** A group that is on or off; off is null. */
export interface Switch extends Option {
  readonly kind: 'switch';
  readonly isOnByDefault: boolean;
  readonly isOn: boolean;
  readonly children: readonly Tree[];
}

export type Tree = Leaf | Group | Union | Switch;

const ON = 'on';
const OFF = 'off';
export const switchText = (isOn: boolean): string => (isOn ? ON : OFF);
export const typePointer = ({ pointer }: Union): string => `${pointer}/type`;

/** @param parentDefault default of the option in the default of the object that holds it */
export function createTree(
  schema: Schema,
  setting: Setting,
  pointer = '',
  parentDefault: unknown = undefined,
): Tree {
  const fallback = parentDefault ?? schemaDefault(schema);
  const { schema: inner, isNullable } = withoutNull(schema);
  const option = {
    pointer,
    name: pointer.slice(pointer.lastIndexOf('/') + 1),
    description: describe(schema.description ?? inner.description ?? ''),
  };
  const childrenOf = ({ properties = {} }: Schema, hidden?: string) =>
    Object.entries(properties)
      .filter(([name]) => name !== hidden)
      .map(([name, child]) => createTree(child, setting, `${pointer}/${name}`, member(fallback, name)));
  const types = branches(inner);
  if (types !== null) {
    const first = [...types.keys()][0]!;
    const preset = member(fallback, 'type');
    const standard = typeof preset === 'string' ? preset : first;
    const chosen = setting[`${pointer}/type`] ?? standard;
    const branch = types.get(chosen) ?? types.get(first)!;
    const children = childrenOf(branch, 'type');
    return { ...option, kind: 'union', types: [...types.keys()], default: standard, chosen, children };
  }
  if (inner.type !== 'object' || inner.properties === undefined) {
    const standard = toText(fallback, schema);
    return { ...option, kind: 'leaf', schema, default: standard, text: setting[pointer] ?? standard };
  }
  const children = childrenOf(inner);
  if (!isNullable) return { ...option, kind: 'group', children };
  const isOnByDefault = typeof fallback === 'object' && fallback !== null;
  const isOn = (setting[pointer] ?? switchText(isOnByDefault)) === ON;
  return { ...option, kind: 'switch', isOnByDefault, isOn, children };
}

/** The description without its Markdown, the default, and null: the form shows null as an empty control or one that is off. */
function describe(description: string): string {
  return description
    .replace(/\.? ?Default: `.*`\.?/, '')
    .replace(/; null [^.]*/, '')
    .replaceAll('`', '');
}

function member(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null
    ? (object as Record<string, unknown>)[name]
    : undefined;
}

/** The value to send, or undefined if it is the default. */
export function buildValue(tree: Tree): unknown {
  switch (tree.kind) {
    case 'leaf':
      return tree.text.trim() === '' || tree.text === tree.default
        ? undefined
        : toValue(tree.text, tree.schema);
    case 'group':
      return buildObject(tree.children);
    case 'union': {
      const fields = buildObject(tree.children);
      if (fields === undefined && tree.chosen === tree.default) return undefined;
      return { type: tree.chosen, ...fields };
    }
    case 'switch':
      if (!tree.isOn) return tree.isOnByDefault ? null : undefined;
      return buildObject(tree.children) ?? (tree.isOnByDefault ? undefined : {});
  }
}

function buildObject(children: readonly Tree[]): Record<string, unknown> | undefined {
  const entries = children.map((child) => [child.name, buildValue(child)] as const);
  const present = entries.filter(([, value]) => value !== undefined);
  return present.length === 0 ? undefined : Object.fromEntries(present);
}

/** The part of the tree at a pointer. */
export function findTree(tree: Tree, pointer: string): Tree | null {
  if (tree.pointer === pointer) return tree;
  if (tree.kind === 'leaf') return null;
  for (const child of tree.children) {
    if (pointer !== child.pointer && !pointer.startsWith(`${child.pointer}/`)) continue;
    const found = findTree(child, pointer);
    if (found) return found;
  }
  return null;
}

/** The tree without the options at the pointers. */
export function omitOptions<T extends Tree>(tree: T, pointers: readonly string[]): T {
  if (tree.kind === 'leaf') return tree;
  const rest = tree.children.filter(({ pointer }) => !pointers.includes(pointer));
  return { ...tree, children: rest.map((child) => omitOptions(child, pointers)) };
}

/** Every option with a control, in order. */
export function visibleOptions(tree: Tree): Exclude<Tree, Group>[] {
  if (tree.kind === 'leaf') return [tree];
  const isShown = tree.kind !== 'switch' || tree.isOn;
  const below = isShown ? tree.children.flatMap(visibleOptions) : [];
  return tree.kind === 'group' ? below : [tree, ...below];
}
