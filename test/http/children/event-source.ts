/**
 * Standard EventSource client: node --experimental-eventsource event-source.ts URL
 *
 * Prints each event and each change of the connection as a line of JSON.
 */
import { writeSync } from 'node:fs';
import { EVENT_TYPES } from '../../../src/domain/jobs/training.ts';

const source = new EventSource(process.argv[2]!);
const writeLine = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
for (const type of EVENT_TYPES) {
  source.addEventListener(type, (event) => {
    if (event instanceof MessageEvent && event.data !== undefined) {
      writeLine({ type, id: event.lastEventId, data: JSON.parse(event.data) });
    }
  });
}
// The timer of EventSource does not keep the process alive, so this one does.
const waiting = setInterval(() => {}, 1000);
// EventSource reconnects by itself until the service responds that no further events follow.
source.addEventListener('error', (event) => {
  if (event instanceof MessageEvent) return;
  writeLine({ readyState: source.readyState });
  if (source.readyState === EventSource.CLOSED) clearInterval(waiting);
});
