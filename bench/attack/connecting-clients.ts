/** Attack: 500 clients connect at once while a job trains on two threads; health is checked by new connections. */
import { slowestHealthCheck } from '../measure/connecting.ts';
import { startAtelier, trainModel, withState } from '../measure/servers.ts';
import { readable } from '../measure/statistics.ts';

await withState(async (state) => {
  const { url, stop } = await startAtelier(state);
  try {
    await trainModel(url, 'served');
    console.log(`slowest response to a new connection: ${readable(await slowestHealthCheck(url))} ms`);
  } finally {
    await stop();
  }
});
