import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listTeachers, replaceTeachers } from '../../../src/domain/searches/teachers.ts';

const request = {
  training: { epochs: 2, distillation: { teachers: ['shared', { name: 'other' }], weight: 0.5 } },
  vary: [
    { path: '/training/distillation', choices: [null, { teachers: ['whole'] }, 7] },
    { path: '/training/distillation/teachers', choices: [['list', 'list@2'], 'no list'] },
    { path: '/training/distillation/teachers/0', choices: ['one'] },
    { path: '/training/distillation/teachers/0/name', choices: ['part of one'] },
    { path: '/training/distillation/weight', min: 0.1, max: 0.9 },
    { path: '/training/dropout', choices: [0.1] },
    { path: '/network/distillation/teachers', choices: [['elsewhere']] },
  ],
};

test('lists the teachers of all trials and of the choices, with their positions', () => {
  assert.deepEqual(
    listTeachers(request).map(({ reference, pointer }) => [pointer, reference]),
    [
      ['#/training/distillation/teachers/0', 'shared'],
      ['#/training/distillation/teachers/1', { name: 'other' }],
      ['#/vary/0/choices/1/teachers/0', 'whole'],
      ['#/vary/1/choices/0/0', 'list'],
      ['#/vary/1/choices/0/1', 'list@2'],
      ['#/vary/2/choices/0', 'one'],
    ],
  );
  assert.deepEqual(listTeachers({ training: { epochs: 1 }, vary: [] }), []);
  assert.deepEqual(listTeachers({ training: { distillation: null }, vary: [] }), []);
});

test('replaces only the teachers', () => {
  const replaced = replaceTeachers(request, () => 'replaced');
  const teachers = ['replaced', 'replaced'];
  assert.deepEqual(replaced, {
    training: { epochs: 2, distillation: { teachers, weight: 0.5 } },
    vary: [
      { path: '/training/distillation', choices: [null, { teachers: ['replaced'] }, 7] },
      { path: '/training/distillation/teachers', choices: [teachers, 'no list'] },
      { path: '/training/distillation/teachers/0', choices: ['replaced'] },
      ...request.vary.slice(3),
    ],
  });
});
