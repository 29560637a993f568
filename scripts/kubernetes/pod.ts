/** The pods of Atelier: one image, one security context, one set of probes; roles differ in their environment. */
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IResourceRequirements } from 'kubernetes-models/v1/ResourceRequirements';
import { readConfig } from '../../src/config/read.ts';

const { port, shutdownGraceSeconds } = readConfig({});

export const PORT = port;
/** Replaced by `images` in kustomization.yaml. */
export const IMAGE = 'atelier';
export const SECRET = 'atelier';
export const SETTINGS = 'atelier';

/** Until load balancers have noticed that a pod ends, requests still reach it. */
const PRE_STOP_SECONDS = 5;
/** More than the pause before SIGTERM and the grace period, so that the kubelet kills only processes that hang. */
const TERMINATION_SECONDS = PRE_STOP_SECONDS + shutdownGraceSeconds + 5;

export type Component = 'api' | 'worker' | 'migrate' | 'single' | 'metrics';

export const APPLICATION = { 'app.kubernetes.io/name': 'atelier' };

export const labels = (component: Component) => ({
  ...APPLICATION,
  'app.kubernetes.io/component': component,
});

export const componentName = (component: Component) => `atelier-${component}`;

const probe = (path: string) => ({ httpGet: { path, port: 'http' } });

interface Workload {
  readonly component: Component;
  /** Beyond the variables of the ConfigMap and the Secret. */
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: IResourceRequirements;
  /** Name of the claim that holds the state. Without it, the directory holds copies and begins empty in each pod. */
  readonly claim?: string;
}

/** A pod that serves requests, jobs or both. */
export function servicePod(workload: Workload): IPodSpec {
  return {
    ...pod(workload, {
      // With a state of its own the service makes a key, if the Secret does not exist.
      envFrom: [
        { configMapRef: { name: SETTINGS } },
        { secretRef: { name: SECRET, ...(workload.claim !== undefined && { optional: true }) } },
      ],
      ports: [{ name: 'http', containerPort: PORT }],
      // Alive from the beginning, also during a long migration; ready as soon as requests are served.
      livenessProbe: { ...probe('/health/live'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
      readinessProbe: { ...probe('/health/ready'), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
      lifecycle: { preStop: { sleep: { seconds: PRE_STOP_SECONDS } } },
    }),
    terminationGracePeriodSeconds: TERMINATION_SECONDS,
  };
}

export function replicaPod(workload: Workload): IPodSpec {
  return {
    ...servicePod(workload),
    // One lost node should not take all replicas with it.
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: labels(workload.component) },
      },
    ],
  };
}

export function pod(
  { component, environment, resources, claim }: Workload,
  container: Partial<IContainer>,
): IPodSpec {
  return {
    automountServiceAccountToken: false,
    // Variables such as ATELIER_PORT would look like settings.
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      // As USER of the Dockerfile.
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      // Otherwise each start changes the group of every file of a volume.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: component,
        image: IMAGE,
        env: Object.entries(environment).map(([name, value]) => ({ name, value })),
        envFrom: [{ secretRef: { name: SECRET } }],
        resources,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        // As STATE_DIR of the Dockerfile.
        volumeMounts: [{ name: claim ?? 'cache', mountPath: '/var/lib/atelier' }],
        ...container,
      },
    ],
    // Holds copies of what is in the database or the bucket; a new pod begins with an empty one.
    ...(claim === undefined && { volumes: [{ name: 'cache', emptyDir: { sizeLimit: '8Gi' } }] }),
  };
}
