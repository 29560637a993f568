/** The limit of open files of this process. */
import { readFile } from 'node:fs/promises';
import { CONNECTION_LIMITS } from '../http/hooks/connections/limits.ts';

/** For files, threads and connections to other services. */
const OTHER_FILES = 100;
const NEEDED = CONNECTION_LIMITS.connections + OTHER_FILES;

/** @returns a warning if the limit is below what the limit of connections needs. Only Linux shows the limit. */
export async function describeFewFiles(limits = '/proc/self/limits'): Promise<string | undefined> {
  const text = await readFile(limits, 'utf8').catch(() => '');
  // Node has raised the soft limit to the hard one.
  const limit = Number(/^Max open files +(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  if (limit >= NEEDED) return undefined;
  return (
    `This process can open ${limit} files, but ${CONNECTION_LIMITS.connections} connections and everything else need ${NEEDED}. ` +
    `With more connections than that allows, jobs wait and requests fail. Raise the hard limit, for example with "ulimit -n ${NEEDED}" or ` +
    `LimitNOFILE=${NEEDED}.`
  );
}
