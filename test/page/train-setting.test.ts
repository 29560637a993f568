/** The setting of the training form: it sends what was loaded from the address. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULTS, toRequest } from '../../page/screens/check/request.ts';
import { buildValue, createTree } from '../../page/screens/train/form/options.ts';
import { formatSetting, parseSetting, readSetting } from '../../page/screens/train/form/setting.ts';
import { buildVariation, parseRange, rangeText, variationText } from '../../page/screens/train/form/vary.ts';
import { readForms } from '../../scripts/page/forms.ts';
import { trainingRequestSchema } from '../../src/domain/jobs/request.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const forms = readForms(ROOT);
const schema = JSON.parse(forms['TRAINING_SCHEMA']!);

function throughForm(request: unknown): unknown {
  const address = formatSetting(readSetting(request, [schema]));
  return buildValue(createTree(schema, parseSetting(address)));
}

const REQUESTS: readonly object[] = [
  { dataset: 'fashion-mnist' },
  {
    dataset: 'fashion-mnist',
    seed: 7,
    metadata: { name: 'a & b = c?', note: '"16, 32"' },
    network: { convolutions: [16, [32, 24]], norm: 'group', hidden: [], activation: 'tanh', init: 'glorot' },
    training: {
      optimizer: { type: 'adamw', weightDecay: 0 },
      schedule: { type: 'step', every: 3 },
      classWeights: [1, 2.5],
      clipNorm: 1,
      standardize: true,
      validation: { fraction: 0.25 },
      earlyStopping: {},
      budget: { seconds: 5 },
      keepCheckpoints: 'all',
    },
    warmStart: 'a.b-c@3',
    gradientCheck: false,
    publish: { promote: 'always' },
  },
  {
    dataset: 'd',
    training: { validation: null, classWeights: 'balanced', optimizer: { type: 'sgd', nesterov: true } },
  },
];

test('the form returns the request that filled it, without the defaults', () => {
  const recipes = Object.values<object>(JSON.parse(forms['RECIPES']!)).filter(
    (recipe) => !('vary' in recipe),
  );
  assert.ok(recipes.length > 2);
  for (const request of [...REQUESTS, ...recipes]) {
    const sent = throughForm(request);
    assert.deepEqual(trainingRequestSchema.parse(sent), trainingRequestSchema.parse(request));
    // A job shows every default.
    assert.deepEqual(throughForm(trainingRequestSchema.parse(request)), sent);
  }
  assert.deepEqual(throughForm(REQUESTS[0]), REQUESTS[0]);
  // A job names the version that it started from by an object.
  assert.deepEqual(throughForm({ dataset: 'd', warmStart: { name: 'm', version: 3 } }), {
    dataset: 'd',
    warmStart: 'm@3',
  });
});

test('keeps text that is not a number, and lets the service describe the error', () => {
  const tree = createTree(schema, { '/training/epochs': 'x', '/network/hidden': '16, y' });
  assert.deepEqual(buildValue(tree), { network: { hidden: [16, 'y'] }, training: { epochs: 'x' } });
});

test('variations are lists of values, or ranges', () => {
  const leaf = (type: object, pointer: string) => {
    const tree = createTree(type, {}, pointer);
    assert.ok(tree.kind === 'leaf');
    return tree;
  };
  const rate = leaf({ type: 'number' }, '/training/optimizer/learningRate');
  const hidden = leaf({ type: 'array', items: { type: 'integer' } }, '/network/hidden');
  assert.deepEqual(buildVariation(rate, '0.1, 1e-3', true), { path: rate.pointer, choices: [0.1, 0.001] });
  assert.deepEqual(buildVariation(hidden, '40; 20, 10; none', true), {
    path: hidden.pointer,
    choices: [[40], [20, 10], []],
  });
  const range = { path: rate.pointer, min: 0.001, max: 0.5, scale: 'log', points: 4 } as const;
  assert.deepEqual(buildVariation(rate, variationText(range), true), range);
  const open = { min: '1', max: '4', scale: 'linear', points: '' } as const;
  assert.deepEqual(parseRange(rangeText(open)), open);
  assert.equal(parseRange('1..4, 5'), null);
});

test('the form of a gradient check sends stages of convolutions only if there are any', () => {
  const layers = { hidden: [40], activation: 'relu', init: 'uniform-fan-in' };
  assert.deepEqual(toRequest(DEFAULTS)['network'], layers);
  const stages = { convolutions: [16, [32, 24]], norm: 'group' };
  const form = { ...DEFAULTS, convolutions: ' 16, 32  24', norm: 'group' };
  assert.deepEqual(toRequest(form)['network'], { ...stages, ...layers });
});
