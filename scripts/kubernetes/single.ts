/** One process with its state on a volume, for a service that needs no database. */
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { Service } from 'kubernetes-models/v1/Service';
import { componentName, labels, PORT, servicePod } from './pod.ts';

const COMPONENT = 'single';
const CLAIM = 'state';
const metadata = { name: componentName(COMPONENT), labels: labels(COMPONENT) };

const statefulSet = new StatefulSet({
  metadata,
  spec: {
    serviceName: componentName(COMPONENT),
    // The volume belongs to one process. An update ends the old pod before it starts the new one.
    replicas: 1,
    selector: { matchLabels: labels(COMPONENT) },
    template: {
      metadata: { labels: labels(COMPONENT) },
      spec: servicePod({
        component: COMPONENT,
        environment: { TRAINING_WORKERS: '1' },
        // One processor for predictions, one for the job.
        resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '2Gi' } },
        claim: CLAIM,
      }),
    },
    // Deleting or scaling the set keeps the volume.
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    volumeClaimTemplates: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: CLAIM },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Gi' } } },
      },
    ],
  },
});

/** Gives the pod its name in the cluster. */
const headless = new Service({
  metadata,
  spec: {
    clusterIP: 'None',
    selector: labels(COMPONENT),
    ports: [{ name: 'http', port: PORT, targetPort: 'http' }],
  },
});

/** The same name as with replicas, for clients. */
const service = new Service({
  metadata: { name: 'atelier', labels: labels(COMPONENT) },
  spec: { selector: labels(COMPONENT), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
});

export const single = [statefulSet, headless, service];
