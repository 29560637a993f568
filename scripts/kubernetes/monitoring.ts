/** Objects for the operator of Prometheus: which pods it reads, and the alert rules of deploy/prometheus. */
import { readFileSync } from 'node:fs';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Service } from 'kubernetes-models/v1/Service';
import { parse } from 'yaml';
import { APPLICATION, componentName, labels, PORT } from './pod.ts';

const COMPONENT = 'metrics';
const metadata = { name: componentName(COMPONENT), labels: labels(COMPONENT) };

/** Every pod, also those that are not ready and those that only train: each has counters of its own. */
const service = new Service({
  metadata,
  spec: {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: APPLICATION,
    ports: [{ name: 'http', port: PORT, targetPort: 'http' }],
  },
});

const monitor = new ServiceMonitor({
  metadata,
  spec: {
    // The rules and the dashboard expect the job `atelier`, the value of this label.
    jobLabel: 'app.kubernetes.io/name',
    selector: { matchLabels: labels(COMPONENT) },
    endpoints: [
      {
        port: 'http',
        path: '/metrics',
        interval: '15s',
        // The key itself, with the scope `predict`.
        authorization: { credentials: { name: componentName(COMPONENT), key: 'key' } },
      },
    ],
  },
});

const rules = new PrometheusRule({
  metadata: { name: 'atelier', labels: labels(COMPONENT) },
  spec: parse(readFileSync(new URL('../../deploy/prometheus/alerts.yml', import.meta.url), 'utf8')),
});

export const monitoring = [service, monitor, rules];
