import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { parseAllDocuments } from 'yaml';
import { FILES, MODELS } from '../../scripts/kubernetes/files.ts';
import { secretExample, settings, singleSecretExample } from '../../scripts/kubernetes/settings.ts';
import { readConfig } from '../../src/config/read.ts';

const ROOT = join(import.meta.dirname, '../..');
const models = Object.values(MODELS).flat();

test('every object of deploy/kubernetes matches the schema of its kind', () => {
  assert.ok(models.length > 10);
  for (const model of models) assert.doesNotThrow(() => model.validate(), model.kind);
});

test('the files of deploy/kubernetes contain exactly these objects', () => {
  for (const [name, objects] of Object.entries(FILES)) {
    const documents = parseAllDocuments(readFileSync(join(ROOT, 'deploy/kubernetes', name), 'utf8'));
    assert.deepEqual(
      documents.map((document) => document.toJS()),
      JSON.parse(JSON.stringify(objects)),
      name,
    );
  }
});

test('the pods get settings that the service accepts, and the user, volume and time that it needs', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const workloads = models.filter((model) => Deployment.is(model) || StatefulSet.is(model));
  assert.deepEqual(
    workloads.map(({ metadata }) => metadata?.name),
    ['atelier-api', 'atelier-worker', 'atelier-single'],
  );
  for (const workload of workloads) {
    const isSingle = StatefulSet.is(workload);
    const pod = workload.spec!.template.spec!;
    const container = pod.containers[0]!;
    const environment = Object.fromEntries(container.env!.map(({ name, value }) => [name, value]));
    const secret = isSingle ? singleSecretExample : secretExample;
    const config = readConfig({ ...settings.data, ...secret.stringData, ...environment });
    assert.deepEqual([config.database === null, config.role === 'all'], [isSingle, isSingle]);
    const volumes = isSingle
      ? workload.spec!.volumeClaimTemplates!.map(({ metadata }) => metadata!.name)
      : pod.volumes!.map(({ name }) => name);
    assert.deepEqual(
      container.volumeMounts!.map(({ name }) => name),
      volumes,
    );
    assert.equal(config.port, container.ports![0]!.containerPort);
    const preStop = container.lifecycle!.preStop!.sleep!.seconds;
    assert.ok(pod.terminationGracePeriodSeconds! > preStop + config.shutdownGraceSeconds);
    const { runAsUser, runAsGroup } = pod.securityContext!;
    assert.match(dockerfile, new RegExp(`^USER ${runAsUser}:${runAsGroup}$`, 'm'));
    assert.match(dockerfile, new RegExp(`STATE_DIR=${container.volumeMounts![0]!.mountPath}\\b`));
  }
});

test('the image has the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const tags = Object.values(FILES)
    .flat()
    .flatMap((object) => ('images' in object ? (object.images as { newTag: string }[]) : []))
    .map(({ newTag }) => newTag);
  assert.deepEqual(tags, [version, version, version]);
});
