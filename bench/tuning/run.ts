/**
 * usage: node bench/tuning/run.ts [TECHNIQUE …] [--quick]
 * Measures the service with and without techniques of src/tuning, in alternation, about two minutes each. Run it on an
 * otherwise idle machine. --quick only checks that everything runs.
 */
import { parseArgs } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { describeMachine, median } from '../machine.ts';
import { markdownTable } from '../measure/report.ts';
import { type Server, startAtelier, trainModel, untilReady, withState } from '../measure/servers.ts';
import { readable, spread } from '../measure/statistics.ts';
import { TECHNIQUES, type Technique } from './techniques.ts';

const COMMAND = packageJson.scripts.start;

async function start(state: string, env: NodeJS.ProcessEnv, command = COMMAND): Promise<Server> {
  const server = await startAtelier(state, env, command);
  await untilReady(server.url);
  return server;
}

/** A state with a model, and with the vectors of the kernel compared. */
async function prepare(state: string): Promise<void> {
  const server = await start(state, {});
  await trainModel(server.url, 'served');
  await server.stop();
}

/** One row for each value that the technique reduces. */
async function compare(name: string, technique: Technique, isQuick: boolean): Promise<string[][]> {
  const { pairs, turns, without = '' } = technique;
  const off = technique.off ?? (without === '' ? { TUNING_OFF: name } : {});
  const values: Record<'with' | 'without', Map<string, number[]>> = { with: new Map(), without: new Map() };
  await withState((one) =>
    withState(async (other) => {
      for (const state of [one, other]) await prepare(state);
      for (let pair = 1; pair <= (isQuick ? 1 : pairs); pair++) {
        const servers = {
          with: await start(one, {}),
          without: await start(other, off, COMMAND.replace(without, '')),
        };
        for (let turn = 1; turn <= (isQuick ? 1 : turns); turn++) {
          for (const variant of ['with', 'without'] as const) {
            process.stderr.write(`${name}, pair ${pair} of ${pairs}, turn ${turn} of ${turns}: ${variant}\n`);
            for (const [what, value] of Object.entries(await technique.measure(servers[variant]))) {
              const known = values[variant].get(what) ?? [];
              values[variant].set(what, [...known, value]);
            }
          }
        }
        await Promise.all(Object.values(servers).map((server) => server.stop()));
      }
    }),
  );
  return Array.from(values.with, ([what, measured]) => {
    const compared = values.without.get(what)!;
    const gain = 100 * (1 - median(measured) / median(compared));
    return [name, what, ...spread(measured), ...spread(compared), `${readable(gain)} %`];
  });
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});
const chosen = positionals.length > 0 ? positionals : Object.keys(TECHNIQUES);
const unknown = chosen.find((name) => !(name in TECHNIQUES));
if (unknown !== undefined) {
  console.error(`Unknown technique ${unknown}. Techniques are ${Object.keys(TECHNIQUES).join(', ')}.`);
  process.exit(1);
}
const rows: string[][] = [];
for (const name of chosen) rows.push(...(await compare(name, TECHNIQUES[name]!, values.quick)));
const columns = ['technique', 'median of', 'with', 'range', 'without', 'range', 'gain'];
console.log(`${describeMachine()}.\n\n${markdownTable(columns, rows)}`);
