/** The requests of examples/recipes, and their data sets. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, openAsBlob, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PYTHON } from '../../bench/measure/command.ts';
import { post, untilJob } from '../../bench/measure/servers.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { ModelVersion } from '../../src/domain/models/representation.ts';

export const RECIPES = join(import.meta.dirname, '../../examples/recipes');

/** Fields of the uploads; examples/recipes/README.md has the same. */
const FIELDS: Readonly<Record<string, Record<string, string>>> = {
  digits: { testFraction: '0.2' },
  'colour-shapes': {
    classNames: 'red circle,red square,red triangle,green circle,green square,green triangle',
  },
};

export const recipeNames = readdirSync(RECIPES).flatMap((file) =>
  file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [],
);

export function readRecipe(name: string) {
  return JSON.parse(readFileSync(join(RECIPES, `${name}.json`), 'utf8'));
}

/** Uploads the data set of a recipe that has one of its own. */
export async function uploadRecipeData(url: string, name: string): Promise<void> {
  const script = join(RECIPES, `${name}.py`);
  if (!existsSync(script)) return;
  const folder = mkdtempSync(join(tmpdir(), 'atelier-recipes-'));
  try {
    const file = join(folder, `${name}.npz`);
    execFileSync(PYTHON, [script, file]);
    const form = new FormData();
    for (const [field, value] of Object.entries(FIELDS[name] ?? {})) form.set(field, value);
    form.set('file', await openAsBlob(file));
    const response = await fetch(`${url}/v1/datasets`, { method: 'POST', body: form });
    if (!response.ok) throw new Error(await response.text());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Trains, and returns the job and its version. @throws Error if the job does not succeed */
export async function trainVersion(url: string, request: object) {
  const read = async <T>(path: string) => (await (await fetch(url + path)).json()) as T;
  const { id } = await post<TrainingJob>(`${url}/v1/training-jobs`, request);
  await untilJob(url, id, ({ finishedAt }) => finishedAt !== null);
  const job = await read<TrainingJob>(`/v1/training-jobs/${id}`);
  if (job.status !== 'succeeded') throw new Error(`${job.modelName}: ${JSON.stringify(job.error)}`);
  const path = `/v1/models/${job.model!.name}/versions/${job.model!.version}`;
  return { job, path, version: await read<ModelVersion>(path) };
}

export async function readBytes(url: string): Promise<Uint8Array> {
  return (await fetch(url, { headers: { accept: 'application/octet-stream' } })).bytes();
}
