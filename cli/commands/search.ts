/** `atelier search`: starts a search, and follows it on request. */
import { randomUUID } from 'node:crypto';
import type { Search } from '../../src/domain/searches/representation.ts';
import { defineCommand } from '../command.ts';
import { readText } from '../files.ts';
import { followSearch } from '../follow/search.ts';
import { parseJson } from '../json-file.ts';

export const search = defineCommand({
  summary: 'Search for the best options of a training',
  parameters: ['search.json'],
  options: { follow: { type: 'boolean', help: 'Show the leaderboard until the search ends' } },
  notes:
    'The file is the body of POST /v1/searches, such as examples/searches/homework.json; - reads it from the\n' +
    'standard input. With --follow the exit code is 0 if the search succeeded and 1 if it failed or was cancelled.\n' +
    'Ctrl-C leaves the search running, and exits with 130.',
  async run(context, [path], { follow }) {
    const { client, json, write, note } = context;
    const body = await readText(path!);
    parseJson(path!, body);
    const created = await client.json<Search>('/v1/searches', {
      method: 'POST',
      // A request that is sent again after a lost connection starts no second search.
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body,
    });
    if (follow) {
      if (!json) write(`${created.id}\n`);
      return followSearch(context, created);
    }
    write(`${json ? JSON.stringify(created) : created.id}\n`);
    if (!json) note(`The search runs. Its leaderboard: npx atelier job ${created.id}`);
    return 0;
  },
});
