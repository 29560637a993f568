/** The files of deploy/kubernetes and their objects. */
import packageJson from '../../package.json' with { type: 'json' };
import { api } from './api.ts';
import { monitoring } from './monitoring.ts';
import { network, singleNetwork } from './network.ts';
import { IMAGE } from './pod.ts';
import { migration, secretExample, settings, singleSecretExample } from './settings.ts';
import { single } from './single.ts';
import { worker } from './worker.ts';

export const MODELS = {
  'secret.example.yaml': [secretExample],
  'settings.yaml': [settings],
  'network.yaml': network,
  'api.yaml': api,
  'worker.yaml': worker,
  'migrate/job.yaml': [migration],
  'single/secret.example.yaml': [singleSecretExample],
  'single/settings.yaml': [settings],
  'single/network.yaml': singleNetwork,
  'single/service.yaml': single,
  'monitoring/monitoring.yaml': monitoring,
};

const kustomization = (...resources: string[]) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources,
});

/** An example. */
export const REPOSITORY = 'registry.example/atelier';

const withImage = (...resources: string[]) => ({
  ...kustomization(...resources),
  images: [{ name: IMAGE, newName: REPOSITORY, newTag: packageJson.version }],
});

export const FILES: Readonly<Record<string, readonly object[]>> = {
  ...MODELS,
  'kustomization.yaml': [withImage('settings.yaml', 'network.yaml', 'api.yaml', 'worker.yaml')],
  'migrate/kustomization.yaml': [withImage('job.yaml')],
  'single/kustomization.yaml': [withImage('settings.yaml', 'network.yaml', 'service.yaml')],
  'monitoring/kustomization.yaml': [kustomization('monitoring.yaml')],
};
