/** Thread entry: clients that follow a job's events from the first one, one connection each. */
import { get, type IncomingMessage } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const { url, count } = workerData as { url: string; count: number };
let events = 0;

function open(): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { agent: false, headers: { accept: 'text/event-stream' } }, resolve).on('error', reject);
  return promise;
}

const streams = await Promise.all(Array.from({ length: count }, open));
for (const stream of streams) {
  if (stream.statusCode !== 200) throw new Error(`${url} responded with ${stream.statusCode}.`);
  stream.setEncoding('latin1').on('data', (text: string) => {
    events += text.split('\nevent: ').length - 1;
  });
}
parentPort!.postMessage('reading');
parentPort!.once('message', () => {
  for (const stream of streams) stream.destroy();
  parentPort!.postMessage(events);
});
