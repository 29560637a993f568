/**
 * usage: npm run recipes [-- NAME …] [--seeds 5]
 * Trains every request of examples/recipes with seeds 0, 1, …, in its own service, and writes the results to
 * examples/recipes/README.md. A recipe with a Python script beside it trains on the data set that the script writes. With NAMEs, trains only these, and their teachers once, and prints the results. Accuracies of the
 * published models are measured on the test set, once, at the end of each training.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/machine.ts';
import { startAtelier, withState } from '../bench/measure/servers.ts';
import { RECIPES, readRecipe, recipeNames, trainVersion, uploadRecipeData } from './recipes/requests.ts';
import { wholeArgument } from './whole-argument.ts';

const README = join(RECIPES, 'README.md');

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '5' } },
});
const unknown = positionals.find((name) => !recipeNames.includes(name));
if (unknown !== undefined) {
  console.error(`Unknown recipe ${unknown}. Recipes are ${recipeNames.join(', ')}.`);
  process.exit(1);
}
const names = positionals.length > 0 ? positionals : recipeNames;
const seeds = Array.from({ length: wholeArgument('seeds', values.seeds) }, (_, seed) => seed);

/** The recipes with their teachers before them. A teacher alone is a champion: the version of the first seed. */
function withTeachers(wanted: readonly string[]): { name: string; seeds: readonly number[] }[] {
  const taught = wanted.flatMap((name): string[] => readRecipe(name).training.distillation?.teachers ?? []);
  const first = [...new Set(taught)].map((name) => ({
    name,
    seeds: wanted.includes(name) ? seeds : seeds.slice(0, 1),
  }));
  const rest = wanted.filter((name) => !taught.includes(name));
  return [...first, ...rest.map((name) => ({ name, seeds }))];
}

/** Trains one recipe with the given seeds; returns its row of the table. */
async function run(url: string, name: string, ofSeeds: readonly number[]): Promise<string> {
  const request = readRecipe(name);
  await uploadRecipeData(url, name);
  let layers = '';
  const accuracies: number[] = [];
  const seconds: number[] = [];
  for (const seed of ofSeeds) {
    const { job, version } = await trainVersion(url, { ...request, seed });
    const { testAccuracy, digest } = version;
    accuracies.push(testAccuracy!);
    layers = version.layers;
    seconds.push((Date.parse(job.finishedAt!) - Date.parse(job.startedAt!)) / 1000);
    console.log(`${name}, seed ${seed}: ${testAccuracy} in ${seconds.at(-1)!.toFixed(1)} s, ${digest}`);
  }
  const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
  const range = `${Math.min(...accuracies).toFixed(4)} – ${Math.max(...accuracies).toFixed(4)}`;
  const time = `${Math.min(...seconds).toFixed(1)} – ${Math.max(...seconds).toFixed(1)}`;
  return `| [${name}](${name}.json) | ${layers} | ${request.training.epochs} | ${mean.toFixed(4)} | ${range} | ${time} |`;
}

const rows = await withState(async (state) => {
  const server = await startAtelier(state, { STARTER_JOB: 'off', TRAINING_WORKERS: '1' });
  try {
    const done: string[] = [];
    for (const recipe of withTeachers(names)) done.push(await run(server.url, recipe.name, recipe.seeds));
    return done;
  } finally {
    await server.stop();
  }
});

const table = [
  '| recipe | network | epochs | test accuracy, mean | range | seconds |',
  '| --- | --- | ---: | ---: | --- | ---: |',
  ...rows,
].join('\n');
console.log(table);
if (positionals.length === 0) {
  const [before] = readFileSync(README, 'utf8').split('<!-- results -->');
  const conditions = `Seeds 0 to ${seeds.length - 1}; ${describeMachine()}.`;
  writeFileSync(README, `${before}<!-- results -->\n\n${conditions}\n\n${table}\n`);
}
