/**
 * usage: npm run kills -- [--kills 200] [--seed 1]
 *        npm run kills -- --replicas 3 [--kills 50] [--stops 10] [--drops 10] [--database-kills 5] [--seed 1]
 * Kills the service at random moments while jobs train, and writes the results to bench/results/survival.md. Fails if
 * anything differs from the undisturbed jobs. With --replicas, disturbs whichever of several processes on one database
 * trains: kills it, stops it for 10 s, loses its packets to and from the database for 10 s, or kills the database for 6 s.
 */
import { parseArgs } from 'node:util';
import { writeSection } from './kills/survival.ts';
import { wholeArgument } from './whole-argument.ts';

const count = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    replicas: count,
    kills: count,
    stops: count,
    drops: count,
    'database-kills': count,
    seed: { type: 'string', default: '1' },
  },
});
const seed = wholeArgument('seed', values.seed, 0);
const optional = (name: 'stops' | 'drops' | 'database-kills') => wholeArgument(name, values[name] ?? '0', 0);

const ends: (() => Promise<void>)[] = [];
const scope = { after: (end: () => Promise<void>) => void ends.push(end) };
try {
  await run();
} finally {
  for (const end of ends) await end();
}

async function run(): Promise<void> {
  if (values.replicas === undefined) {
    const kills = wholeArgument('kills', values.kills ?? '200');
    const { killOneProcess } = await import('./kills/one-process.ts');
    return write('Kills', await killOneProcess(scope, kills, seed));
  }
  const options = {
    replicas: wholeArgument('replicas', values.replicas, 2),
    kill: wholeArgument('kills', values.kills ?? '50', 0),
    freeze: optional('stops'),
    drop: optional('drops'),
    database: optional('database-kills'),
    seed,
  };
  const { disturbReplicas } = await import('./kills/replicas.ts');
  write('Replicas', await disturbReplicas(scope, options));
}

function write(heading: 'Kills' | 'Replicas', text: string): void {
  writeSection(heading, text);
  console.log(text);
}
