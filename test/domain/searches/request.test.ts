import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hasEqualChoices,
  resolvedSearchRequestSchema,
  searchRequestSchema,
  variationSchema,
} from '../../../src/domain/searches/request.ts';

const path = '/training/l2';
/** The places and messages of what is wrong. */
function findIssues(variation: object): string[] {
  const { error } = variationSchema.safeParse({ path, ...variation });
  return error?.issues.map((issue) => [...issue.path, issue.message].join(' ')) ?? [];
}

test('a variation has either choices, or a range whose ends are in order', () => {
  const either = 'must have either choices, or min and max';
  for (const [variation, issues] of [
    [{ choices: [0.1] }, []],
    [{ min: 0, max: 1 }, []],
    [{ min: 0.1, max: 1, scale: 'log', points: 2 }, []],
    [{ min: -1, max: 1, step: 0.5 }, []],
    [{}, [either]],
    [{ min: 0 }, [either]],
    [{ max: 1 }, [either]],
    [{ choices: [0.1], max: 1 }, [either]],
    [{ choices: [0.1], points: 2 }, [either]],
    [{ choices: [1, 2, 1] }, ['choices must not have the same choice twice']],
    [{ min: 1, max: 1 }, ['max must be greater than min (1)']],
    [{ min: 0, max: 1, scale: 'log' }, ['min must be greater than 0 with a logarithmic scale']],
    [{ min: 0, max: 1, step: 0.5, points: 2 }, ['points must be left out with step']],
  ] as const) {
    assert.deepEqual(findIssues(variation), issues, JSON.stringify(variation));
  }
});

test('choices are equal if they are the same JSON', () => {
  assert.equal(hasEqualChoices([{ a: [1] }, { a: [1] }]), true);
  assert.equal(hasEqualChoices([1, '1', [1], null]), false);
});

test('a search needs a variation, and a budget needs a limit', () => {
  const search = { dataset: 'd', vary: [{ path, choices: [1] }] };
  const isValid = (changes: object) => searchRequestSchema.safeParse({ ...search, ...changes }).success;
  assert.deepEqual(
    [{}, { budget: { epochs: 1 } }, { budget: { seconds: 0.5 } }, { budget: null }].map(isValid),
    [true, true, true, true],
  );
  assert.deepEqual([{ vary: [] }, { budget: {} }, { unknown: 1 }].map(isValid), [false, false, false]);
});

test('a search that leaves everything out tries a grid, and trains the best setting on everything', () => {
  const { method, final, objective, halving, repeats, parallel, seed } = searchRequestSchema.parse({
    dataset: 'd',
    vary: [{ path, choices: [1] }],
  });
  assert.deepEqual(
    { method, final, objective, halving, repeats, parallel, seed },
    {
      method: { type: 'grid' },
      final: {
        trainOn: 'everything',
        testSet: 'once',
        publish: { promote: 'never', evenIfNotLearned: false },
      },
      objective: 'validationLoss',
      halving: null,
      repeats: 1,
      parallel: null,
      seed: 0,
    },
  );
  assert.equal(
    resolvedSearchRequestSchema.safeParse({ dataset: 'd', vary: [{ path, choices: [1] }] }).success,
    false,
    'a resolved search has the name of its model',
  );
});
