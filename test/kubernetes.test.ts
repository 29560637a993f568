import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { parseAllDocuments } from 'yaml';
import { FILES, MODELS } from '../scripts/kubernetes/files.ts';
import { secretExample, settings } from '../scripts/kubernetes/settings.ts';
import { readConfig } from '../src/config.ts';

const ROOT = join(import.meta.dirname, '..');
const models = Object.values(MODELS).flat();

test('every object of deploy/kubernetes matches the schema of its kind', () => {
  assert.ok(models.length > 10);
  for (const model of models) assert.doesNotThrow(() => model.validate(), model.kind);
});

test('the files of deploy/kubernetes are those objects', () => {
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
  const deployments = models.filter((model) => Deployment.is(model));
  assert.deepEqual(
    deployments.map(({ metadata }) => metadata?.name),
    ['atelier-api', 'atelier-worker'],
  );
  for (const { spec } of deployments) {
    const pod = spec!.template.spec!;
    const container = pod.containers[0]!;
    const environment = Object.fromEntries(container.env!.map(({ name, value }) => [name, value]));
    const config = readConfig({ ...settings.data, ...secretExample.stringData, ...environment });
    assert.ok(config.database && config.role !== 'all');
    assert.equal(config.port, container.ports![0]!.containerPort);
    const preStop = container.lifecycle!.preStop!.sleep!.seconds;
    assert.ok(pod.terminationGracePeriodSeconds! > preStop + config.shutdownGraceSeconds);
    const { runAsUser, runAsGroup } = pod.securityContext!;
    assert.match(dockerfile, new RegExp(`^USER ${runAsUser}:${runAsGroup}$`, 'm'));
    assert.match(dockerfile, new RegExp(`STATE_DIR=${container.volumeMounts![0]!.mountPath}\\b`));
  }
});
