/** Helm checks the chart of deploy/helm and renders it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { MODELS, REPOSITORY } from '../../scripts/kubernetes/files.ts';
import { downloadHelm } from './helm-program.ts';

const CHART = join(import.meta.dirname, '../../deploy/helm/atelier');
const helm = await downloadHelm({ after });

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; annotations?: Record<string, string> };
  readonly spec: {
    readonly template?: {
      readonly metadata: { annotations?: Record<string, string> };
      readonly spec: { readonly containers: { image: string; resources: object }[] };
    };
    readonly volumeClaimTemplates?: { readonly spec: object }[];
    readonly minReplicas?: number;
    readonly minReplicaCount?: number;
  };
  readonly data?: object;
}

const byName = (objects: readonly Rendered[]) =>
  new Map(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));

async function render(...values: readonly string[]): Promise<Map<string, Rendered>> {
  const text = await helm('template', 'release', CHART, ...values.flatMap((value) => ['--set', value]));
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Rendered | null);
  return byName(objects.filter((object) => object !== null));
}

const REPLICAS = 'mode=replicas';

test('Helm accepts the chart, and its notes name the service', async () => {
  for (const values of ['mode=single', 'mode=replicas,monitoring=true,networkPolicies=false']) {
    assert.match(
      await helm('lint', '--strict', CHART, '--set', values),
      /1 chart\(s\) linted, 0 chart\(s\) failed/,
    );
  }
  const install = (mode: string) =>
    helm('install', 'release', CHART, '--dry-run=client', '--namespace=ml', '--set', mode);
  assert.match(await install('mode=single'), /NOTES:\n.*\n.* --namespace ml logs atelier-single-0 /);
  assert.match(await install(REPLICAS), /NOTES:\nAtelier is the service "atelier" on port 80\./);
});

test('without values, the chart installs the objects of deploy/kubernetes', async () => {
  for (const [values, files] of [
    [[], ['single/settings.yaml', 'single/service.yaml', 'single/network.yaml']],
    [
      [REPLICAS, 'monitoring=true'],
      [
        'settings.yaml',
        'api.yaml',
        'worker.yaml',
        'network.yaml',
        'migrate/job.yaml',
        'monitoring/monitoring.yaml',
      ],
    ],
  ] as const) {
    const objects = await render(...values);
    for (const { kind, metadata, spec } of objects.values()) {
      const pod = spec?.template;
      if (pod === undefined) continue;
      assert.match(pod.metadata.annotations!['checksum/settings']!, /^[0-9a-f]{64}$/);
      delete pod.metadata.annotations;
      assert.equal(pod.spec.containers[0]!.image, `${REPOSITORY}:${packageJson.version}`);
      pod.spec.containers[0]!.image = 'atelier';
      if (kind !== 'Job') continue;
      assert.equal(metadata.annotations!['helm.sh/hook'], 'pre-install,pre-upgrade');
      delete metadata.annotations;
    }
    const models = files.flatMap((file): readonly object[] => MODELS[file]);
    assert.deepEqual(objects, byName(JSON.parse(JSON.stringify(models))));
  }
});

test('values replace the image, the settings, the resources, the volume and the numbers of replicas', async () => {
  const before = (await render()).get('StatefulSet atelier-single')!;
  const single = await render(
    'image.repository=registry.example/other',
    'image.tag=next',
    'settings.ACCESS_LOG=off',
    'single.resources.limits.memory=4Gi',
    'single.volume.storageClassName=fast',
    'networkPolicies=false',
  );
  assert.deepEqual(
    [...single.keys()].filter((name) => name.startsWith('NetworkPolicy')),
    [],
  );
  assert.deepEqual(single.get('ConfigMap atelier')!.data, { ACCESS_LOG: 'off', QUEUE_LIMIT: '1000' });
  const { template, volumeClaimTemplates } = single.get('StatefulSet atelier-single')!.spec;
  const [container] = template!.spec.containers;
  assert.equal(container!.image, 'registry.example/other:next');
  assert.deepEqual(container!.resources, {
    requests: { cpu: '2', memory: '1Gi' },
    limits: { memory: '4Gi' },
  });
  assert.deepEqual(volumeClaimTemplates![0]!.spec, {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '20Gi' } },
    storageClassName: 'fast',
  });
  // Other settings replace the pod.
  assert.notDeepEqual(template!.metadata.annotations, before.spec.template!.metadata.annotations);

  const replicas = await render(REPLICAS, 'api.minReplicas=3', 'worker.minReplicas=4');
  assert.equal(replicas.get('HorizontalPodAutoscaler atelier-api')!.spec.minReplicas, 3);
  assert.equal(replicas.get('ScaledObject atelier-worker')!.spec.minReplicaCount, 4);
});

test('a value that the chart does not have is rejected by its name', async () => {
  await assert.rejects(render('replicaCount=3'), /additional properties 'replicaCount' not allowed/);
  await assert.rejects(render('api.replicas=3'), /at '\/api': additional properties 'replicas' not allowed/);
  await assert.rejects(render('mode=cluster'), /at '\/mode': value must be one of 'single', 'replicas'/);
});
