/** Order and names of the options in the form. Options that are not listed are in the last group. */
import { toWords } from '../../../../src/charts/plot-names.ts';
import type { Tree } from './options.ts';

export interface OptionGroup {
  readonly name: string;
  readonly isOpen: boolean;
  readonly pointers: readonly string[];
}

const LISTED: readonly OptionGroup[] = [
  { name: 'Data and model', isOpen: true, pointers: ['/dataset', '/modelName', '/seed'] },
  {
    name: 'Network',
    isOpen: true,
    pointers: ['convolutions', 'norm', 'hidden', 'activation', 'init'].map((name) => `/network/${name}`),
  },
  {
    name: 'Training',
    isOpen: true,
    pointers: ['epochs', 'batchSize', 'validation', 'trainOnValidation'].map((name) => `/training/${name}`),
  },
  { name: 'Optimizer', isOpen: true, pointers: ['/training/optimizer'] },
  { name: 'Schedule', isOpen: true, pointers: ['/training/schedule'] },
  {
    name: 'Regularization',
    isOpen: false,
    pointers: [
      'l1',
      'l2',
      'dropout',
      'labelSmoothing',
      'clipNorm',
      'classWeights',
      'standardize',
      'ema',
      'distillation',
    ].map((name) => `/training/${name}`),
  },
  { name: 'Augmentation', isOpen: false, pointers: ['/training/augmentation', '/training/mixup'] },
  { name: 'Stopping', isOpen: false, pointers: ['/training/earlyStopping', '/training/budget'] },
];

/** Options that only a search has. */
export const SEARCH_GROUP: OptionGroup = {
  name: 'Search',
  isOpen: true,
  pointers: ['/method', '/halving', '/objective', '/repeats', '/parallel', '/budget', '/final'],
};

/** Id of the heading of an open group. */
export const groupId = (name: string): string => `group-${name.replaceAll(' ', '-')}`;

/** Groups with every option of the tree. */
export function groupOptions(tree: Tree): OptionGroup[] {
  const listed = LISTED.flatMap(({ pointers }) => pointers);
  const rest = unlisted(tree, listed);
  return rest.length === 0
    ? [...LISTED]
    : [...LISTED, { name: 'Running and publishing', isOpen: false, pointers: rest }];
}

function unlisted(tree: Tree, listed: readonly string[]): string[] {
  if (listed.includes(tree.pointer)) return [];
  const isAbove = listed.some((pointer) => pointer.startsWith(`${tree.pointer}/`));
  if (!isAbove || tree.kind === 'leaf') return [tree.pointer];
  return tree.children.flatMap((child) => unlisted(child, listed));
}

const NAMES: Readonly<Record<string, string>> = {
  norm: 'Normalization',
  hidden: 'Hidden layers',
  init: 'Initialization',
  l1: 'L1 penalty',
  l2: 'L2 penalty',
  clipNorm: 'Clip gradient',
  dataset: 'Data set',
  validation: 'Hold out validation images',
  split: 'Hold out the validation split',
  trainOnValidation: 'Train on the validation split',
  ema: 'Average the parameters',
  earlyStopping: 'Early stopping',
  checkpointEverySeconds: 'Checkpoint interval',
  notify: 'Notify a webhook',
  evenIfNotLearned: 'Publish even if nothing was learned',
  gradientCheck: 'Check the gradient first',
  trainOn: 'Final training on',
  minDelta: 'Smallest improvement',
  url: 'URL',
};

/** `batchSize` → `Batch size` */
export function optionName(name: string): string {
  const words = toWords(name);
  return NAMES[name] ?? words.charAt(0).toUpperCase() + words.slice(1);
}
