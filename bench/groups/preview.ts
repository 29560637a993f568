/** Preview: predicted time of trainings beside the time that they took, for the recipes and the networks of `scaling`. */
import { readRecipe, recipeNames, uploadRecipeData } from '../../scripts/recipes/requests.ts';
import type { TrainingPreview } from '../../src/domain/jobs/preview.ts';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import type { Report } from '../measure/report.ts';
import { post, startAtelier, untilJob, withState } from '../measure/servers.ts';
import { readable } from '../measure/statistics.ts';
import type { Effort } from '../measure/turns.ts';
import { SIZES } from './scaling.ts';

/** Enough for the time of an epoch to count; all epochs of the recipes take most of an hour. */
const MAX_EPOCHS = 10;
/** A good prediction differs from the actual time by at most this fraction of it, or of a second if it is shorter. */
const TOLERANCE = 0.25;

interface Prediction {
  readonly name: string;
  /** Seconds. */
  readonly predicted: number;
  readonly took: number;
  /** Origin of the prediction: `model`, `calibrated` or `measured-here`. */
  readonly basis: string;
}

const networkTrainings = SIZES.flatMap(({ hidden, batchSize }) =>
  [1, 2].map((threads) => ({
    name: `784-${hidden.join('-')}-10, batch ${batchSize}, threads ${threads}`,
    body: { dataset: 'fashion-mnist', network: { hidden }, training: { epochs: 3, batchSize, threads } },
  })),
);

function recipeTraining(recipe: string) {
  const request = readRecipe(recipe);
  const epochs = Math.min(request.training.epochs, MAX_EPOCHS);
  const body: object = { ...request, training: { ...request.training, epochs } };
  return { name: `${recipe}, ${epochs} epochs`, body };
}

export async function preview({ rounds }: Effort): Promise<Report> {
  const isQuick = rounds === 1;
  const networks = isQuick ? networkTrainings.slice(0, 2) : networkTrainings;
  const recipes = isQuick ? ['notebook'] : recipeNames;
  const results = await withState(async (state) => {
    const server = await startAtelier(state, { TRAINING_WORKERS: '1' });
    try {
      const measured: Prediction[] = [];
      for (const recipe of recipes) await uploadRecipeData(server.url, recipe);
      for (const { name, body } of [...recipes.map(recipeTraining), ...networks]) {
        process.stderr.write(`${name}\n`);
        measured.push({ name, ...(await compare(server.url, body)) });
      }
      return measured;
    } finally {
      await server.stop();
    }
  });
  const ofRecipes = results.slice(0, recipes.length);
  const ofNetworks = results.slice(recipes.length);
  return {
    title: 'Preview of the time',
    method:
      'Seconds that the preview of a training predicts, directly before it starts, and seconds from its start to its end. One service runs all of them, ' +
      `in the order of the tables, so the first prediction has no earlier job to compare with. Recipes have at most ${MAX_EPOCHS} epochs.`,
    versions: [],
    skipped: [],
    tables: [table('Recipes', ofRecipes), table('Networks of `scaling`, three epochs', ofNetworks)],
    goals: [
      { what: 'recipes predicted within 25 %, or 0.25 s', measured: good(ofRecipes), atLeast: 1 },
      { what: 'networks predicted within 25 %, or 0.25 s', measured: good(ofNetworks), atLeast: 1 },
    ],
  };
}

async function compare(url: string, body: object): Promise<Omit<Prediction, 'name'>> {
  const { time } = await post<TrainingPreview>(`${url}/v1/training-jobs/preview`, body);
  const { id } = await post<TrainingJob>(`${url}/v1/training-jobs`, body);
  await untilJob(url, id, ({ status }) => status === 'succeeded');
  const job = (await (await fetch(`${url}/v1/training-jobs/${id}`)).json()) as TrainingJob;
  const took = (Date.parse(job.finishedAt!) - Date.parse(job.startedAt!)) / 1000;
  return { predicted: time.seconds, took, basis: time.basis.kind };
}

const error = ({ predicted, took }: Prediction) => predicted / took - 1;

/** Fraction of the predictions that are good. */
const good = (results: readonly Prediction[]) =>
  results.filter(({ predicted, took }) => Math.abs(predicted - took) <= TOLERANCE * Math.max(took, 1))
    .length / results.length;

const table = (heading: string, results: readonly Prediction[]) => ({
  heading,
  columns: ['training', 'predicted, s', 'actual, s', 'error', 'basis'],
  rows: results.map((each) => [
    each.name,
    readable(each.predicted),
    readable(each.took),
    `${(100 * error(each)).toFixed(0)} %`,
    each.basis,
  ]),
});
