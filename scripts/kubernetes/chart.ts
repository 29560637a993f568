/** The Helm chart: the objects of deploy/kubernetes as templates, and their values. */
import { stringify } from 'yaml';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { REPLACED, valuesSchema } from './chart-values.ts';
import { MODELS, REPOSITORY } from './files.ts';
import { HEADER, manifest } from './manifest.ts';

interface Template {
  readonly models: keyof typeof MODELS;
  /** An expression of Helm. Without it the objects are always installed. */
  readonly condition?: string;
}

const SINGLE = 'eq .Values.mode "single"';
const REPLICAS = 'eq .Values.mode "replicas"';

const TEMPLATES: Readonly<Record<string, Template>> = {
  settings: { models: 'settings.yaml' },
  single: { models: 'single/service.yaml', condition: SINGLE },
  'single-network': { models: 'single/network.yaml', condition: `and .Values.networkPolicies (${SINGLE})` },
  migrate: { models: 'migrate/job.yaml', condition: REPLICAS },
  api: { models: 'api.yaml', condition: REPLICAS },
  worker: { models: 'worker.yaml', condition: REPLICAS },
  network: { models: 'network.yaml', condition: `and .Values.networkPolicies (${REPLICAS})` },
  monitoring: { models: 'monitoring/monitoring.yaml', condition: '.Values.monitoring' },
};

/** Stands for an expression until the YAML is written. */
const mark = (expression: string) => `‹${expression}›`;
const MARKED = /‹(.*?)›/g;

const IMAGE = mark(
  'printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | toJson',
);
/** The migration runs before the pods of each new version start. */
const HOOK = {
  'helm.sh/hook': 'pre-install,pre-upgrade',
  'helm.sh/hook-delete-policy': 'before-hook-creation',
};
/** Pods read their settings when they start, so other settings replace them. */
const CHECKSUM = { 'checksum/settings': mark('toJson .Values.settings | sha256sum | quote') };

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

const annotate = (object: Tree, annotations: object) => ({
  ...object,
  metadata: { ...(isTree(object['metadata']) && object['metadata']), annotations },
});

/** For JSON.stringify: what the chart has in every object of a kind. */
function adapt(key: string, value: unknown): unknown {
  if (key === 'image') return IMAGE;
  if (key === 'template' && isTree(value)) return annotate(value, CHECKSUM);
  return key === '' && isTree(value) && value['kind'] === 'Job' ? annotate(value, HOOK) : value;
}

/** Puts a value at a path such as `spec.containers.0.image`. @returns what was there */
function exchange(tree: Tree, path: string, value: unknown): unknown {
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce((at, key) => at[key] as Tree, tree);
  const before = parent[last];
  parent[last] = value;
  return before;
}

/** @param values receives the defaults of the values in the template */
function writeTemplate({ models, condition }: Template, values: Tree): string {
  const objects = MODELS[models].map((model) => {
    const object: Tree = JSON.parse(JSON.stringify(model, adapt));
    const replaced = REPLACED[`${model.kind} ${model.metadata?.name}`] ?? {};
    for (const [path, value] of Object.entries(replaced)) {
      exchange(values, value, exchange(object, path, mark(`toJson .Values.${value}`)));
    }
    return object;
  });
  // Alert rules contain braces of their own.
  const text = manifest(objects).replaceAll('{{', '{{ "{{" }}').replaceAll(MARKED, '{{ $1 }}');
  return HEADER + (condition === undefined ? text : `{{- if ${condition} }}\n${text}{{- end }}\n`);
}

function writeValues(values: Tree): string {
  const described = Object.entries(valuesSchema.parse(values)).map(([key, value]) => {
    const { description } = valuesSchema.shape[key as keyof typeof valuesSchema.shape];
    return `\n# ${description}\n${stringify({ [key]: value }, { lineWidth: 0 })}`;
  });
  return HEADER + described.join('');
}

const NOTES = `{{ if eq .Values.mode "single" -}}
The first start prints a key, unless the Secret "atelier" has API_KEYS:
  kubectl --namespace {{ .Release.Namespace }} logs atelier-single-0 | grep -m 1 -o 'atl_[A-Za-z0-9_-]*'
{{ end -}}
Atelier is the service "atelier" on port 80. To reach it from this machine:
  kubectl --namespace {{ .Release.Namespace }} port-forward service/atelier 3000:80
`;

/** @returns the files of deploy/helm/atelier */
function writeChart(): Readonly<Record<string, string>> {
  const { name, version, description } = packageJson;
  const values = {
    mode: 'single',
    image: { repository: REPOSITORY, tag: '' },
    networkPolicies: true,
    monitoring: false,
    single: {},
    api: {},
    worker: {},
  };
  const templates = Object.entries(TEMPLATES).map(([file, template]) => [
    `templates/${file}.yaml`,
    writeTemplate(template, values),
  ]);
  const chart = {
    apiVersion: 'v2',
    name,
    description,
    type: 'application',
    version,
    appVersion: version,
    // Earlier versions do not have the pause before SIGTERM.
    kubeVersion: '>=1.30.0-0',
  };
  return {
    'Chart.yaml': HEADER + stringify(chart),
    'values.yaml': writeValues(values),
    'values.schema.json': `${JSON.stringify(z.toJSONSchema(valuesSchema, { target: 'draft-7' }), null, 2)}\n`,
    'templates/NOTES.txt': NOTES,
    ...Object.fromEntries(templates),
  };
}

export const CHART = writeChart();
