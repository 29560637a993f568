/** Settings of all pods: a ConfigMap, an example of the Secret, and the job that migrates the database. */
import { Job } from 'kubernetes-models/batch/v1/Job';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Secret } from 'kubernetes-models/v1/Secret';
import { componentName, labels, pod, SECRET, SETTINGS } from './pod.ts';

export const settings = new ConfigMap({
  metadata: { name: SETTINGS },
  data: {
    // Counters are in /metrics; one line for every prediction would be most of the log.
    ACCESS_LOG: 'errors',
    QUEUE_LIMIT: '1000',
  },
});

/** No key has this hash. */
const API_KEYS = `ci:train:${'0'.repeat(64)}`;

/** Every value is an example. */
export const secretExample = new Secret({
  metadata: { name: SECRET },
  stringData: {
    DATABASE_URL: 'postgresql://atelier:password@pgbouncer:6432/atelier',
    DATABASE_DIRECT_URL: 'postgresql://atelier:password@postgresql:5432/atelier',
    API_KEYS,
  },
});

export const singleSecretExample = new Secret({
  metadata: { name: SECRET },
  stringData: { API_KEYS },
});

/** Run before each new version. A job cannot be changed, so delete the previous one first. */
export const migration = new Job({
  metadata: { name: componentName('migrate'), labels: labels('migrate') },
  spec: {
    backoffLimit: 3,
    ttlSecondsAfterFinished: 3600,
    template: {
      metadata: { labels: labels('migrate') },
      spec: {
        ...pod(
          {
            component: 'migrate',
            environment: {},
            resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
          },
          { command: ['node', 'src/commands/migrate.ts'] },
        ),
        restartPolicy: 'Never',
      },
    },
  },
});
