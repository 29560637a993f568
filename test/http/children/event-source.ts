/** A standard client, by itself: node --experimental-eventsource event-source.ts URL. Says what it was told, a JSON line each. */
import { writeSync } from 'node:fs';
import { EVENT_TYPES } from '../../../src/domain/training-job.ts';

const source = new EventSource(process.argv[2]!);
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
for (const type of EVENT_TYPES) {
  source.addEventListener(type, (event) => {
    if (event instanceof MessageEvent && event.data !== undefined) {
      say({ type, id: event.lastEventId, data: JSON.parse(event.data) });
    }
  });
}
// It waits with a timer that keeps no process alive.
const waiting = setInterval(() => {}, 1000);
// It comes back by itself until it is told that there is no more.
source.addEventListener('error', (event) => {
  if (event instanceof MessageEvent) return;
  say({ readyState: source.readyState });
  if (source.readyState === EventSource.CLOSED) clearInterval(waiting);
});
