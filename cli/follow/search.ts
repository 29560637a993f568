/** Follows a search on the terminal until it ends. */
import type { Search, SearchEvent, Trial } from '../../src/domain/searches/representation.ts';
import type { Context } from '../command.ts';
import { followEvents } from './event-stream.ts';
import { createLeaderboardView, formatLeaderboard } from './leaderboard.ts';
import { describeServed } from './served-version.ts';

/**
 * Shows the leaderboard after each event, then the result; with `--json` every event and the search, one per line.
 * @returns the exit code: 0 succeeded, 1 failed or cancelled, 130 interrupted
 */
export async function followSearch(context: Context, { id }: Search): Promise<number> {
  const { client, json, interrupted, columns, write, note } = context;
  const path = `/v1/searches/${id}`;
  const view = createLeaderboardView(write, json ? null : columns);
  const read = () => client.json<Search>(path);
  const readTrials = async () => (await client.json<{ data: Trial[] }>(`${path}/trials`)).data;
  try {
    for await (const event of followEvents<SearchEvent>(
      client,
      path,
      interrupted,
      json ? () => {} : view.showLost,
    )) {
      if (json) write(`${JSON.stringify(event)}\n`);
      else if (columns === null) view.print(event);
      else view.draw(await read(), await readTrials());
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
    note(`The search continues. Cancel it with: npx atelier cancel ${id}`);
    return 130;
  }
  const search = await read();
  if (json) write(`${JSON.stringify(search)}\n`);
  else {
    if (columns === null) write(`${formatLeaderboard(search, await readTrials())}\n`);
    const result = describeResult(search);
    if (search.status === 'succeeded') write(`${result}\n`);
    else note(result);
    const served = search.model && (await describeServed(client, search.model));
    if (served) write(`${served}\n`);
  }
  return search.status === 'succeeded' ? 0 : 1;
}

/** Result of an ended search, as a sentence or more. */
export function describeResult({ status, error, model, publication, best }: Search): string {
  if (status !== 'succeeded' || best === null) {
    return error ? `The search ${status}: ${error.message} (${error.code})` : `The search was ${status}.`;
  }
  const values = Object.entries(best.values).map(([path, value]) => `${path} = ${JSON.stringify(value)}`);
  const published = model ? ` Published ${model.name}@${model.version}.` : '';
  const unpublished =
    publication !== null && model === null ? ` Published nothing. ${publication.reason}` : '';
  return `Best: trial ${best.trial} with ${values.join(', ')}.${published}${unpublished} Trials with * may be as good.`;
}
