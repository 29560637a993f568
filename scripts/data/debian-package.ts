/** Debian packages by apt-get and dpkg-deb, without root and without changing the system. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SourceContext } from './source-context.ts';

const TIMEOUT_MS = 5 * 60_000;

/** Returns the root of the unpacked package, inside `temporary`. */
export async function downloadDebianPackage(
  name: string,
  temporary: string,
  context: Pick<SourceContext, 'say' | 'signal'>,
): Promise<string> {
  const apt = (...args: string[]) => run('apt-get', args, temporary, context.signal);
  const options = [
    // apt would download as another user without access to this folder, and into the system's cache.
    'APT::Sandbox::User=root',
    `Dir::Cache=${join(temporary, 'cache')}`,
    'Acquire::Retries=1',
    'Acquire::http::Timeout=20',
  ].flatMap((option) => ['-o', option]);
  try {
    await apt(...options, 'download', name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || context.signal.aborted) throw error;
    context.say('The package lists are missing or old; fetching lists of our own …');
    const lists = join(temporary, 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    options.push('-o', `Dir::State::lists=${lists}`);
    await apt(...options, 'update');
    await apt(...options, 'download', name);
  }
  const archive = (await readdir(temporary)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get downloaded no package');
  const root = join(temporary, 'root');
  await run('dpkg-deb', ['-x', archive, root], temporary, context.signal);
  return root;
}

async function run(command: string, args: string[], cwd: string, signal: AbortSignal): Promise<void> {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await promisify(execFile)(command, args, { cwd, signal, env, timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 });
  } catch (cause) {
    const { code, stderr, message } = cause as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') {
      throw Object.assign(new Error(`${command} is not installed`, { cause }), { code });
    }
    // Errors of apt begin with "E: "; the first one is the most specific.
    const said = stderr?.split('\n').find((line) => line.startsWith('E: ')) ?? message.split('\n')[0]!;
    throw new Error(`${command} failed: ${said}`, { cause });
  }
}
