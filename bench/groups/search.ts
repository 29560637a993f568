/** Searches: the ten settings of the homework, and halving of 64 settings beside 40 complete random ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Search, SearchPreview } from '../../src/domain/searches/representation.ts';
import { ROOT } from '../measure/command.ts';
import type { Report } from '../measure/report.ts';
import { post, type Server, startAtelier, withState } from '../measure/servers.ts';
import { readable } from '../measure/statistics.ts';
import type { Effort } from '../measure/turns.ts';

const HOMEWORK = JSON.parse(readFileSync(join(ROOT, 'examples/searches/homework.json'), 'utf8')) as object;
const SLOTS = 2;

/** Hidden layer, learning rate and batch size of networks for Fashion-MNIST. */
const space = (trials: number, epochs: number) => ({
  dataset: 'fashion-mnist',
  modelName: 'space',
  training: { epochs, schedule: { type: 'cosine' }, validation: { fraction: 0.2 } },
  vary: [
    { path: '/network/hidden', choices: [[30], [40], [50]] },
    { path: '/training/optimizer/learningRate', min: 0.001, max: 0.5, scale: 'log' },
    { path: '/training/batchSize', choices: [16, 32, 64, 128, 256] },
  ],
  method: { type: 'random', trials },
  final: { trainOn: null },
});

interface Measured {
  /** Seconds of the preview. */
  readonly predicted: number;
  readonly seconds: number;
  readonly search: Search;
}

/** Starts the search and follows its events to the end. */
async function measure({ url }: Server, body: object): Promise<Measured> {
  const { time } = await post<SearchPreview>(`${url}/v1/searches/preview`, body);
  const startedAt = performance.now();
  const { id } = await post<Search>(`${url}/v1/searches`, body);
  const events = await fetch(`${url}/v1/searches/${id}/events`, { headers: { accept: 'text/event-stream' } });
  await events.text();
  const search = (await (await fetch(`${url}/v1/searches/${id}`)).json()) as Search;
  if (search.status !== 'succeeded') throw new Error(`The search ${search.status}: ${search.error?.message}`);
  return {
    predicted: time.seconds + time.finalSeconds,
    seconds: (performance.now() - startedAt) / 1000,
    search,
  };
}

export async function searches({ rounds }: Effort): Promise<Report> {
  const isQuick = rounds === 1;
  const epochs = isQuick ? 4 : 16;
  const bodies: readonly (readonly [name: string, body: object])[] = [
    ['homework: 10 settings, 6 epochs, final training', HOMEWORK],
    [
      `${isQuick ? 8 : 64} settings halved by 4`,
      { ...space(isQuick ? 8 : 64, epochs), halving: { factor: 4 } },
    ],
    [`${isQuick ? 4 : 40} complete random settings`, space(isQuick ? 4 : 40, epochs)],
  ];
  const measured = await withState(async (state) => {
    const server = await startAtelier(state, { TRAINING_WORKERS: String(SLOTS) });
    try {
      const results: Measured[] = [];
      for (const [name, body] of bodies) {
        process.stderr.write(`${name}\n`);
        results.push(await measure(server, body));
      }
      return results;
    } finally {
      await server.stop();
    }
  });
  const [homework, halved, whole] = measured;
  const loss = ({ search }: Measured) => search.best!.validationLoss;
  const trained = ({ search }: Measured) => search.progress.epochs;
  return {
    title: 'Searches',
    method:
      `Seconds from the request to the last event, and as the preview predicts them directly before, with ${SLOTS} slots, one thread each. Epochs are those of all trials; the loss is the validation loss of the best one. ` +
      'The two searches of the same space have the same seed, so the complete settings are the first ones of those that are halved.',
    versions: [],
    skipped: [],
    tables: [
      {
        heading: 'Searches',
        columns: ['search', 'seconds', 'predicted', 'epochs', 'loss of the best'],
        rows: bodies.map(([name], n) => {
          const each = measured[n]!;
          return [
            name,
            readable(each.seconds),
            readable(each.predicted),
            String(trained(each)),
            loss(each).toFixed(4),
          ];
        }),
      },
    ],
    goals: [
      { what: 'homework on two cores, s', measured: homework!.seconds, atMost: 60 },
      {
        what: 'epochs of halving beside complete settings',
        measured: trained(halved!) / trained(whole!),
        atMost: 0.25,
      },
      {
        what: 'loss of halving beside complete settings',
        measured: loss(halved!) / loss(whole!),
        atMost: 1.01,
      },
    ],
  };
}
