/** Values of the Helm chart: their schema, and the parts of objects that they replace. */
import { z } from 'zod';

const resources = z.record(z.string(), z.unknown());
const replicas = { resources, minReplicas: z.int().min(1), maxReplicas: z.int().min(1) };

/** The descriptions are the comments of values.yaml. */
export const valuesSchema = z.strictObject({
  mode: z
    .enum(['single', 'replicas'])
    .describe('single: one process with a volume. replicas: many processes, a PostgreSQL database and KEDA.'),
  image: z
    .strictObject({ repository: z.string(), tag: z.string() })
    .describe('Without a tag, the version of the chart.'),
  settings: z
    .record(z.string(), z.string())
    .describe(
      'Environment variables of all pods: docs/reference/configuration.md. Secrets belong into the Secret "atelier".',
    ),
  networkPolicies: z.boolean().describe('Who reaches the pods, and what they reach.'),
  monitoring: z
    .boolean()
    .describe(
      'Objects for the operator of Prometheus. They need the Secret "atelier-metrics": docs/operations/alerts.md.',
    ),
  single: z
    .strictObject({ resources, volume: z.record(z.string(), z.unknown()) })
    .describe('For the mode "single". "volume" is the specification of the claim.'),
  api: z.strictObject(replicas).describe('For the mode "replicas": processes that serve requests.'),
  worker: z.strictObject(replicas).describe('For the mode "replicas": processes that train.'),
});

const RESOURCES = 'spec.template.spec.containers.0.resources';

/** By kind and name of an object: path in the object → value. The default of the value is what is at the path. */
export const REPLACED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ConfigMap atelier': { data: 'settings' },
  'StatefulSet atelier-single': {
    [RESOURCES]: 'single.resources',
    'spec.volumeClaimTemplates.0.spec': 'single.volume',
  },
  'Deployment atelier-api': { [RESOURCES]: 'api.resources' },
  'HorizontalPodAutoscaler atelier-api': {
    'spec.minReplicas': 'api.minReplicas',
    'spec.maxReplicas': 'api.maxReplicas',
  },
  'Deployment atelier-worker': { [RESOURCES]: 'worker.resources' },
  'ScaledObject atelier-worker': {
    'spec.minReplicaCount': 'worker.minReplicas',
    'spec.maxReplicaCount': 'worker.maxReplicas',
  },
};
