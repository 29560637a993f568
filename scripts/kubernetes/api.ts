/** Replicas that serve requests: as many as their processors need. */
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { componentName, labels, replicaPod } from './pod.ts';

const COMPONENT = 'api';
const metadata = { name: componentName(COMPONENT), labels: labels(COMPONENT) };
const selector = { matchLabels: labels(COMPONENT) };

const deployment = new Deployment({
  metadata,
  spec: {
    // No `replicas`: the autoscaler sets them, and applying the file again must not reset them.
    selector,
    // A new replica is ready before an old one ends.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: labels(COMPONENT) },
      spec: replicaPod({
        component: COMPONENT,
        environment: { ROLE: 'api' },
        // Predictions use one processor for each process, decoding of images a second one.
        resources: { requests: { cpu: '1', memory: '768Mi' }, limits: { memory: '1Gi' } },
      }),
    },
  },
});

const service = new Service({
  metadata: { name: 'atelier', labels: labels(COMPONENT) },
  spec: { selector: labels(COMPONENT), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
});

const autoscaler = new HorizontalPodAutoscaler({
  metadata,
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: componentName(COMPONENT) },
    minReplicas: 2,
    maxReplicas: 10,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
      },
    ],
  },
});

const disruptions = new PodDisruptionBudget({ metadata, spec: { maxUnavailable: 1, selector } });

export const api = [deployment, service, autoscaler, disruptions];
