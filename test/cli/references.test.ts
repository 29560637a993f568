import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../cli/client.ts';
import { UsageError } from '../../cli/errors.ts';
import {
  aliasPath,
  findResource,
  findRun,
  modelPath,
  onlyModel,
  versionPath,
  wholeModelPath,
} from '../../cli/references.ts';

/** A client whose responses have this body. */
function clientOf(body: unknown) {
  const paths: string[] = [];
  const json = async (path: string) => {
    paths.push(path);
    return body;
  };
  return { paths, client: { json } as unknown as Client };
}

test('tells ids of jobs, searches, prediction jobs and data sets from names of models', () => {
  for (const [reference, noun, path] of [
    ['job_1', 'job', '/v1/training-jobs/job_1'],
    ['sea_1', 'search', '/v1/searches/sea_1'],
    ['prd_1', 'prediction job', '/v1/prediction-jobs/prd_1'],
    ['dst_1/x', 'data set', '/v1/datasets/dst_1%2Fx'],
    ['job_1@2', 'version', '/v1/models/job_1/versions/2'],
    ['abc_1', 'model', '/v1/models/abc_1'],
    ['ajob_1', 'model', '/v1/models/ajob_1'],
    ['digits', 'model', '/v1/models/digits'],
    ['digits@best', 'version', '/v1/models/digits/versions/best'],
  ] as const) {
    assert.deepEqual(findResource(reference), { noun, path });
  }
});

test('only jobs, searches and prediction jobs run', () => {
  for (const id of ['job_1', 'sea_1', 'prd_1']) assert.deepEqual(findRun(id), findResource(id));
  for (const other of ['dst_1', 'digits', 'digits@1']) {
    const message = `The id of a job (job_…), a search (sea_…) or a prediction job (prd_…) is needed, but it is "${other}".`;
    assert.throws(() => findRun(other), { constructor: UsageError, message });
  }
});

test('rejects incomplete references, and a version where a model is meant', () => {
  for (const wrong of ['', '@1', 'a@', 'a@1@2']) {
    const message = `A model must be given as name, name@version or name@alias, but is "${wrong}".`;
    assert.throws(() => modelPath(wrong), { constructor: UsageError, message });
  }
  assert.throws(() => wholeModelPath('a@1'), {
    constructor: UsageError,
    message: 'The name of a model without a version is needed, but it is "a@1".',
  });
  assert.equal(aliasPath('a b', 'c/d'), '/v1/models/a%20b/aliases/c%2Fd');
});

test('a name alone means the champion, else the newest version', async () => {
  for (const [aliases, version] of [
    [{ champion: 2, other: 3 }, 2],
    [{ other: 3 }, 5],
  ] as const) {
    const { client, paths } = clientOf({ aliases, latest: { version: 5 } });
    assert.equal(await versionPath(client, 'a'), `/v1/models/a/versions/${version}`);
    assert.deepEqual(paths, ['/v1/models/a']);
  }
  const { client, paths } = clientOf(null);
  assert.equal(await versionPath(client, 'a@7'), '/v1/models/a/versions/7');
  assert.deepEqual(paths, []);
});

test('a command without a model uses the only one', async () => {
  const modelsOf = (...names: string[]) => clientOf({ data: names.map((name) => ({ name })) }).client;
  assert.equal(await onlyModel(modelsOf('a')), 'a');
  await assert.rejects(onlyModel(modelsOf()), {
    constructor: UsageError,
    message: 'The service has no model yet. Train or import one first.',
  });
  await assert.rejects(onlyModel(modelsOf('a', 'b')), {
    constructor: UsageError,
    message: 'The service has several models, such as a, b. Choose one with --model.',
  });
});
