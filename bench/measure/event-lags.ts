/** The time from an event's timestamp to a client that follows the job, on one machine. */
import { setTimeout as wait } from 'node:timers/promises';
import { openStream } from '../../test/http/read-events.ts';

/** Milliseconds for each event that is written while the job is followed. */
export async function readEventLags(url: string, id: string, seconds: number): Promise<number[]> {
  const startedAt = Date.now();
  const stream = await openStream(`${url}/v1/training-jobs/${id}/events`);
  const lags: number[] = [];
  const over = wait(seconds * 1000).then(() => stream.close());
  for await (const { at } of stream.events()) {
    const writtenAt = Date.parse(at);
    if (writtenAt > startedAt) lags.push(Date.now() - writtenAt);
  }
  await over;
  return lags;
}
