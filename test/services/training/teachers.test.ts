import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { TrainingRequest } from '../../../src/domain/jobs/request.ts';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import type { ModelService } from '../../../src/services/models/catalog.ts';
import { createLoadDistillation, fixSearchTeachers } from '../../../src/services/training/teachers.ts';
import type { NumericPool } from '../../../src/workers/pools.ts';
import { importFile } from '../../http/import-file.ts';
import type { SearchBody } from '../../support/search-outcome.ts';
import {
  assertProblem,
  hasEnded,
  startService,
  type TrainingBody,
  train,
  untilJob,
} from '../../support/start-service.ts';

const { app } = await startService({ after });

type Training = NonNullable<TrainingBody['training']>;

/** 6,000 training images; every model holds out the same ones. */
function body(modelName: string, hidden: number[], training: Training = {}): TrainingBody {
  return {
    dataset: 'fashion-mnist',
    modelName,
    network: { hidden },
    training: { epochs: 1, validation: { fraction: 0.1 }, ...training },
  };
}

async function version(name: string, number: number): Promise<ModelVersion> {
  return (await app.inject(`/v1/models/${name}/versions/${number}`)).json();
}

const distil = (weight: number, ...teachers: string[]): Training => ({ distillation: { teachers, weight } });

const teacher = await train(app, body('teacher', [64], { epochs: 3 }));
assert.deepEqual(teacher.model, { name: 'teacher', version: 1 }, teacher.error?.message);
await train(app, { ...body('teacher', [8]), seed: 1 });
const labelled = await train(app, body('student', [16]));

test('a network learns from a teacher, and its version names the teacher', async () => {
  const job = await train(app, body('student', [16], distil(0.5, 'teacher')));
  assert.equal(job.status, 'succeeded', job.error?.message);
  const teachers = [{ name: 'teacher', version: 1 }];
  assert.deepEqual(
    job.training.distillation,
    { weight: 0.5, teachers },
    'the champion of the time of the request',
  );
  assert.notEqual(job.digest, labelled.digest);
  const { lineage } = await version('student', job.model!.version);
  assert.deepEqual([lineage.teachers, lineage.parent], [teachers, null]);
});

test('a network that already predicts like its only teacher has nothing to learn from it', async () => {
  const request = { ...body('copy', [64], distil(1, 'teacher@1')), warmStart: 'teacher@1' };
  const { latest, ...job } = await train(app, request);
  assert.equal(job.status, 'succeeded', job.error?.message);
  const difference = latest!.validationLoss! - teacher.latest!.validationLoss!;
  assert.ok(Math.abs(difference) < 1e-5, `the validation loss changed by ${difference}`);
  const labels = await train(app, { ...body('copy', [64]), warmStart: 'teacher@1' });
  assert.ok(Math.abs(labels.latest!.validationLoss! - teacher.latest!.validationLoss!) > 1e-3);
});

test('several teachers are averaged, and their order does not matter for two', async () => {
  const [one, other] = [
    await train(app, body('pair', [16], distil(0.5, 'teacher@1', 'teacher@2'))),
    await train(app, body('pair', [16], distil(0.5, 'teacher@2', 'teacher@1'))),
  ];
  assert.equal(one.digest, other.digest);
  const alone = await train(app, body('pair', [16], distil(0.5, 'teacher@2')));
  assert.notEqual(one.digest, alone.digest);
});

test('a job is verified with the same teachers', async () => {
  const { id } = await train(app, body('verified', [16], distil(0.5, 'teacher')));
  const url = `/v1/training-jobs/${id}/verify`;
  const again = (await app.inject({ method: 'POST', url })).json();
  const { verification } = await untilJob(app, again.id, hasEnded);
  assert.equal(verification?.agrees, true);
});

const create = async (request: TrainingBody) =>
  app.inject({ method: 'POST', url: '/v1/training-jobs', payload: request });

test('rejects a teacher that does not exist, with its position in the list', async () => {
  const response = await create(body('x', [16], distil(0.5, 'teacher@1', 'teacher@9')));
  const pointer = '#/training/distillation/teachers/1';
  const problem = assertProblem(response, 422, 'unknown-model', pointer);
  assert.match(problem.detail, /teacher has no version 9; its newest is 2/);
});

test('rejects a teacher with other classes, or with the same ones in another order', async () => {
  const file = (await app.inject('/v1/models/teacher/versions/1/export?format=npz')).rawPayload;
  const names = (await version('teacher', 1)).classNames;
  const classNames = JSON.stringify([names[1], names[0], ...names.slice(2)]);
  const imported = await importFile(app, file, { name: 'swapped', classNames, activation: 'relu' });
  assert.equal(imported.statusCode, 201, imported.body);
  const response = await create(body('x', [16], distil(0.5, 'swapped')));
  const problem = assertProblem(response, 422, 'impossible-request', '#/training/distillation/teachers/0');
  assert.match(
    problem.detail,
    /Model swapped cannot be a teacher: it has the classes Trouser, T-shirt\/top, Pull/,
  );
});

const search = (training: Training, vary: SearchBody['vary']): SearchBody => ({
  dataset: 'fashion-mnist',
  modelName: 'searched',
  network: { hidden: [8] },
  training: { epochs: 1, validation: { fraction: 0.1 }, ...training },
  vary,
  final: { trainOn: null },
});

const createSearch = (payload: SearchBody) => app.inject({ method: 'POST', url: '/v1/searches', payload });

async function untilSearchEnds(id: string): Promise<void> {
  while ((await app.inject(`/v1/searches/${id}`)).json<Search>().finishedAt === null) await wait(20);
}

async function searchedJobs(payload: SearchBody) {
  const created = await createSearch(payload);
  assert.equal(created.statusCode, 202, created.body);
  const { id } = created.json<Search>();
  await untilSearchEnds(id);
  const { data } = (await app.inject(`/v1/training-jobs?search=${id}&sort=createdAt`)).json();
  return { created: created.json<Search>(), jobs: data };
}

test('all trials of a search have the teachers that its references meant at its creation', async () => {
  const { created, jobs } = await searchedJobs(
    search(distil(0.5, 'teacher', 'teacher@2'), [
      { path: '/training/distillation/weight', choices: [0.3, 1] },
    ]),
  );
  const teachers = [1, 2].map((version) => ({ name: 'teacher', version }));
  assert.deepEqual(created.training, { ...created.training, distillation: { teachers, weight: 0.5 } });
  assert.deepEqual(
    jobs.map(({ status, training }: { status: string; training: Training }) => [
      status,
      training.distillation,
    ]),
    [0.3, 1].map((weight) => ['succeeded', { teachers, weight }]),
  );
});

test('a search varies its teachers, by name, number or none', async () => {
  const [one, two] = [1, 2].map((version) => ({ name: 'teacher', version }));
  const { created, jobs } = await searchedJobs(
    search({}, [
      { path: '/training/distillation', choices: [null, { teachers: ['teacher'] }, { teachers: [two] }] },
    ]),
  );
  assert.deepEqual(created.vary[0]!.choices, [null, { teachers: [one] }, { teachers: [two] }]);
  assert.equal(new Set(jobs.map(({ digest }: { digest: string }) => digest)).size, 3);
});

test('rejects choices that name the same teacher in two ways', async () => {
  const choices = [['teacher'], ['teacher@1']];
  const vary = [{ path: '/training/distillation/teachers', choices }];
  const response = await createSearch(search(distil(0.5, 'teacher'), vary));
  const problem = assertProblem(response, 422, 'impossible-request', '#/vary/0/choices');
  assert.match(problem.detail, /name the same versions as teachers/);
});

test('rejects a search whose teacher does not exist, naming the choice', async () => {
  for (const [absent, message] of [
    ['nobody', /nobody/],
    [{ name: 'teacher', version: 900 }, /teacher.*900|900.*teacher/],
  ] as const) {
    const choices = [null, { teachers: [absent] }];
    const response = await createSearch(search({}, [{ path: '/training/distillation', choices }]));
    const pointer = '#/vary/0/choices/1/teachers/0';
    assert.match(assertProblem(response, 422, 'unknown-model', pointer).detail, message);
  }
});

test('a teacher of an unfinished search cannot be deleted', async () => {
  await train(app, body('needed', [8]));
  const choices = [null, { teachers: ['needed'] }];
  const training = { epochs: 500 };
  const created = await createSearch(search(training, [{ path: '/training/distillation', choices }]));
  const { id } = created.json<Search>();
  const remove = () => app.inject({ method: 'DELETE', url: '/v1/models/needed' });
  const problem = assertProblem(await remove(), 409, 'version-in-use');
  assert.match(problem.detail, new RegExp(`version 1 is a teacher of the running search ${id}`));
  await app.inject({ method: 'POST', url: `/v1/searches/${id}/cancel` });
  await untilSearchEnds(id);
  assert.equal((await remove()).statusCode, 204);
});

test('the targets of the last two lists of teachers are in memory', async () => {
  const reference = (name: string) => ({ name, version: 1 });
  const load = async (name: string) => ({
    reference: reference(name),
    architecture: { inputShape: [2, 2] },
    classNames: ['a'],
  });
  const models = { load, version: async (name: string) => ({ digest: name }) } as unknown as ModelService;
  const numeric = { run: async () => new Float32Array(1) } as unknown as NumericPool;
  const { loadDistillation, hasTargets } = createLoadDistillation(models, numeric);
  const train = { pixels: new Uint8Array(4), labels: new Uint8Array(1) };
  const dataset = {
    ...{ id: 'd', digest: 'data', imageShape: [2, 2], classNames: ['a'] },
    ...{ train, learning: train },
  } as unknown as Dataset;
  const isInMemory = (...digests: string[]) =>
    hasTargets(
      dataset,
      digests.map((digest) => ({ digest })),
    );
  const distilled = (...names: string[]) =>
    ({
      training: { validation: null, distillation: { teachers: names.map(reference), weight: 0.5 } },
    }) as TrainingRequest;
  assert.equal(isInMemory('one', 'other'), false);
  await loadDistillation(distilled('one', 'other'), dataset);
  assert.deepEqual([isInMemory('one', 'other'), isInMemory('one')], [true, false]);
  assert.equal(hasTargets({ digest: 'others' }, [{ digest: 'one' }, { digest: 'other' }]), false);
  for (const name of ['second', 'third']) await loadDistillation(distilled(name), dataset);
  assert.deepEqual(
    [isInMemory('one', 'other'), isInMemory('second'), isInMemory('third')],
    [false, true, true],
  );
});

test('the teachers of a search are fixed to their versions, and invalid references stay for the trials to reject', async () => {
  const asked: unknown[] = [];
  const models = {
    async version(name: string, wanted?: unknown) {
      asked.push([name, wanted]);
      return { version: 7 } as ModelVersion;
    },
  } as unknown as ModelService;
  const path = '/training/distillation/teachers';
  const choices = [['shoes'], [9, 'boots@3'], ['shoes', 'boots@3']];
  const request = searchRequestSchema.parse({ dataset: 'mine', vary: [{ path, choices }] });
  const fixed = await fixSearchTeachers(request, models);
  const [shoes, boots] = ['shoes', 'boots'].map((name) => ({ name, version: 7 }));
  assert.deepEqual(fixed.vary[0]!.choices, [[shoes], [9, boots], [shoes, boots]]);
  assert.deepEqual(asked.slice(0, 2), [
    ['shoes', undefined],
    ['boots', 3],
  ]);
});
