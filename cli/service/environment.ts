/** The process of a service: its variables, and its start in place of the command line. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Adds the variables of `npm start`, and the folders of a service outside a checkout. In the folder of a checkout, state
 * and data are where `npm start` has them.
 * @param environment a variable that is set keeps its value; an empty one counts as not set
 */
export function withDefaults(
  environment: NodeJS.ProcessEnv = process.env,
  folder = process.cwd(),
): Record<string, string> {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const cache = join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'atelier');
  const folders = { STATE_DIR: 'atelier-state', DATA_DIR: join(cache, 'fashion-mnist') };
  return {
    ...(join(folder, '/') !== ROOT && folders),
    MALLOC_MMAP_THRESHOLD_: '131072',
    ...Object.fromEntries(given),
  };
}

/** Runs Node in place of this process: its signals, its exit code and its terminal are those of the new program. */
export function replaceProcess(args: readonly string[], environment: Record<string, string>): never {
  const { execPath } = process;
  return process.execve!(execPath, [execPath, ...args], environment);
}
