/** Replicas that train: one for every TRAINING_WORKERS jobs that are waiting or running. */
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { componentName, labels, replicaPod } from './pod.ts';

const COMPONENT = 'worker';
const metadata = { name: componentName(COMPONENT), labels: labels(COMPONENT) };
const selector = { matchLabels: labels(COMPONENT) };

const TRAINING_WORKERS = 2;

const deployment = new Deployment({
  metadata,
  spec: {
    selector,
    // A worker that ends puts its jobs back; they continue elsewhere from their checkpoints.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: labels(COMPONENT) },
      spec: replicaPod({
        component: COMPONENT,
        environment: { ROLE: 'worker', TRAINING_WORKERS: String(TRAINING_WORKERS) },
        resources: { requests: { cpu: String(TRAINING_WORKERS), memory: '1Gi' }, limits: { memory: '2Gi' } },
      }),
    },
  },
});

/** Running jobs are counted too, so that a worker is not taken away from its jobs. */
export const ACTIVE_JOBS =
  "select count(*) from atelier.jobs where status in ('queued', 'running', 'pausing', 'cancelling')";

const scaling = new ScaledObject({
  metadata,
  spec: {
    scaleTargetRef: { name: componentName(COMPONENT) },
    minReplicaCount: 1,
    maxReplicaCount: 10,
    pollingInterval: 15,
    cooldownPeriod: 300,
    triggers: [
      {
        type: 'postgresql',
        metadata: {
          connectionFromEnv: 'DATABASE_URL',
          query: ACTIVE_JOBS,
          targetQueryValue: String(TRAINING_WORKERS),
        },
      },
    ],
  },
});

const disruptions = new PodDisruptionBudget({ metadata, spec: { maxUnavailable: 1, selector } });

export const worker = [deployment, scaling, disruptions];
