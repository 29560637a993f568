import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments, suggest } from '../../cli/arguments.ts';
import type { Command } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands/index.ts';
import { UsageError } from '../../cli/errors.ts';

const COMMON = { json: { type: 'boolean', help: '' } } as const;
const command: Command = {
  summary: '',
  parameters: ['file…'],
  options: {
    follow: { type: 'boolean', help: '' },
    'test-fraction': { type: 'string', value: 'F', help: '' },
    field: { type: 'string', multiple: true, default: [], help: '' },
  },
  run: async () => 0,
};
const parse = (...args: string[]) => parseArguments(command, COMMON, args);

test('reads options and arguments in any order', () => {
  const { values, positionals } = parse('a', '--field', 'x=1', '--json', '--field=y=-', 'b', '--', '--c');
  assert.deepEqual(positionals, ['a', 'b', '--c']);
  assert.deepEqual({ ...values }, { field: ['x=1', 'y=-'], json: true });
});

test('takes a negative number after a space as a value, but not another option', () => {
  assert.equal(parse('a', '--test-fraction', '-0.5').values['test-fraction'], '-0.5');
  assert.equal(parse('a', '--test-fraction=--json').values['test-fraction'], '--json');
  assert.throws(() => parse('a', '--test-fraction', '--json'), {
    constructor: UsageError,
    message: '--test-fraction needs a value: F. If --json is its value, write --test-fraction=--json.',
  });
});

test('names what is wrong and what is allowed', () => {
  const wrong: [string[], string][] = [
    [['a', '--folow'], 'Unknown option --folow. Did you mean --follow?'],
    [['a', '--testFraction', '1'], 'Unknown option --testFraction. Did you mean --test-fraction?'],
    [['a', '--x'], 'Unknown option --x. Options: --follow, --test-fraction, --field, --json.'],
    [['a', '-z'], 'Unknown option -z. Options: --follow, --test-fraction, --field, --json.'],
    [
      ['a', '--constructor'],
      'Unknown option --constructor. Options: --follow, --test-fraction, --field, --json.',
    ],
    [['a', '--test-fraction'], '--test-fraction needs a value: F.'],
    [['a', '--json=yes'], '--json takes no value, but is "yes".'],
    [[], 'Expected file…, but got 0 arguments.'],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => parse(...args), { constructor: UsageError, message });
  }
});

test('allows one argument more in brackets, and as many as a list has', () => {
  const count =
    (parameters: string[], ...args: string[]) =>
    () =>
      parseArguments({ ...command, parameters }, COMMON, args);
  for (const allowed of [count(['[x]']), count(['[x]'], '1'), count(['x…'], '1', '2'), count([])]) allowed();
  for (const wrong of [count(['[x]'], '1', '2'), count(['x'], '1', '2'), count(['x']), count([], '1')]) {
    assert.throws(wrong, UsageError);
  }
});

test('suggests the nearest command within two edits', () => {
  const names = Object.keys(COMMANDS);
  assert.equal(suggest('trian', names), ' Did you mean train?');
  assert.equal(suggest('Dataset', names), ' Did you mean datasets?');
  assert.equal(suggest('rollbak', names), ' Did you mean rollback?');
  assert.equal(suggest('xyz', names), '');
});

test('suggests the nearest name within two letters, fewer for short names', () => {
  assert.equal(suggest('xyarning-rate', ['learning-rate']), ' Did you mean learning-rate?');
  assert.equal(suggest('xyzrning-rate', ['learning-rate']), '');
  assert.equal(suggest('sexy', ['seed']), '');
  assert.equal(suggest('l2', ['l1']), '');
  for (const known of [
    ['workers', 'workload'],
    ['workload', 'workers'],
  ]) {
    assert.equal(suggest('worker', known), ' Did you mean workers?');
    assert.equal(suggest('workloads', known), ' Did you mean workload?');
  }
  for (const known of [
    ['models', 'model'],
    ['model', 'models'],
  ])
    assert.equal(suggest('Model', known), ' Did you mean model?');
});
