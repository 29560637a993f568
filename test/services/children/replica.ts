/** A replica as a process: replies to the name of a model with its current version. */
import { startReplica } from '../replicas/replicas.ts';

const cleanups: (() => Promise<void>)[] = [];
const { models, store } = await startReplica(
  { after: (cleanup) => void cleanups.push(cleanup) },
  process.argv[2]!,
);
process.on('message', async (name: string) => {
  const { reference } = await models.load(name);
  process.send!(reference.version);
});
process.once('disconnect', async () => {
  for (const cleanup of cleanups) await cleanup();
});
process.send!(store.replicas!.id);
