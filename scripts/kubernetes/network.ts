/** Network policies: who reaches the pods, and what they reach. */
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { labels, nameOf, PORT } from './pod.ts';

const selector = { matchLabels: { 'app.kubernetes.io/name': 'atelier' } };
const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP' as const, port }));

const egress = new NetworkPolicy({
  metadata: { name: 'atelier' },
  spec: {
    podSelector: selector,
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
      // PostgreSQL, PgBouncer, and the endpoint of BLOB_URL, which may be outside the cluster.
      { ports: tcp(5432, 6432, 443) },
    ],
  },
});

/** Requests reach only replicas that serve them. Keys decide what a client may do. */
const ingress = new NetworkPolicy({
  metadata: { name: nameOf('api') },
  spec: {
    podSelector: { matchLabels: labels('api') },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector: {} }], ports: tcp(PORT) }],
  },
});

export const network = [egress, ingress];
