/** The files of deploy/kubernetes and their objects. */
import { api } from './api.ts';
import { network } from './network.ts';
import { IMAGE } from './pod.ts';
import { migration, secretExample, settings } from './settings.ts';
import { worker } from './worker.ts';

export const MODELS = {
  'secret.example.yaml': [secretExample],
  'settings.yaml': [settings],
  'network.yaml': network,
  'api.yaml': api,
  'worker.yaml': worker,
  'migrate/job.yaml': [migration],
};

const kustomization = (...resources: string[]) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources,
  images: [{ name: IMAGE, newName: 'registry.example/atelier', newTag: '0.1.0' }],
});

export const FILES: Readonly<Record<string, readonly object[]>> = {
  ...MODELS,
  'kustomization.yaml': [kustomization('settings.yaml', 'network.yaml', 'api.yaml', 'worker.yaml')],
  'migrate/kustomization.yaml': [kustomization('job.yaml')],
};
