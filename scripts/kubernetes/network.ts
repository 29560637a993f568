/** Network policies: who reaches the pods, and what they reach. */
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { APPLICATION, type Component, componentName, labels, PORT } from './pod.ts';

const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP' as const, port }));

/** @param ports that the pods reach, besides the name servers' */
const policyOfAll = (...ports: number[]) =>
  new NetworkPolicy({
    metadata: { name: 'atelier' },
    spec: {
      podSelector: { matchLabels: APPLICATION },
      policyTypes: ['Ingress', 'Egress'],
      // Monitoring reaches every replica: each has counters of its own.
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
          ports: tcp(PORT),
        },
      ],
      egress: [
        {
          to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
          ports: [{ protocol: 'UDP', port: 53 }, ...tcp(53)],
        },
        { ports: tcp(...ports) },
      ],
    },
  });

/** Requests reach only replicas that serve them. Keys decide what a client may do. */
const ingressTo = (component: Component) =>
  new NetworkPolicy({
    metadata: { name: componentName(component) },
    spec: {
      podSelector: { matchLabels: labels(component) },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ namespaceSelector: {} }], ports: tcp(PORT) }],
    },
  });

// PostgreSQL, PgBouncer, and the endpoint of BLOB_URL (possibly outside the cluster).
export const network = [policyOfAll(5432, 6432, 443), ingressTo('api')];
/** One process needs no other service, except the targets of webhooks. */
export const singleNetwork = [policyOfAll(443), ingressTo('single')];
