/** Detects a state directory on a container's writable layer, deleted with the container. */
import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AtelierError } from '../../errors.ts';

/** Docker, containerd and Podman make the root of a container of these file systems. */
const LAYERED = ['overlay', 'fuse.fuse-overlayfs', 'aufs'];

interface Mount {
  readonly mountPoint: string;
  readonly type: string;
}

/**
 * Looks at where the state directory is mounted. Call before anything is written to it; it need not exist yet.
 * @param requireVolume whether it must be on a volume: a mount other than the root file system
 * @returns a warning with advice, or undefined; always undefined where /proc does not exist
 * @throws AtelierError `invalid-configuration` if a volume is required, but missing
 */
export async function checkStateVolume(
  stateDir: string,
  requireVolume: boolean,
): Promise<string | undefined> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => undefined);
  if (mounts === undefined) return;
  const path = await realpathOfExisting(stateDir);
  const advice = `Mount a volume there, for example with --volume atelier:${stateDir}.`;
  if (requireVolume && isOnRoot(mounts, path)) {
    throw new AtelierError(
      'invalid-configuration',
      `STATE_DIR=${stateDir} is not on a volume, so the models and jobs would be lost when the container is removed. ` +
        `${advice} To start without a volume, set REQUIRE_VOLUME=false.`,
    );
  }
  if (!isOnContainerLayer(mounts, path)) return;
  return (
    `STATE_DIR=${stateDir} is on the writable layer of this container, so the models and jobs are lost when the container ` +
    `is removed. ${advice}`
  );
}

/** Without symbolic links, as in mountinfo. Of a directory that does not exist, its nearest parent that does. */
async function realpathOfExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (dirname(path) === path) throw error;
    return realpathOfExisting(dirname(path));
  }
}

/** Whether the path is on the root file system, of whatever type: some engines make it a plain directory of the host. */
export function isOnRoot(mountinfo: string, path: string): boolean {
  return findMount(mountinfo, path)?.mountPoint === '/';
}

/**
 * @param mountinfo the text of /proc/self/mountinfo: `id parent device root mountPoint options [optional…] - type source …`
 * @param path absolute and without symbolic links
 */
export function isOnContainerLayer(mountinfo: string, path: string): boolean {
  const mount = findMount(mountinfo, path);
  return mount?.mountPoint === '/' && LAYERED.includes(mount.type);
}

function findMount(mountinfo: string, path: string): Mount | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [, , , , mountPoint, ...rest] = line.split(' ');
    if (mountPoint === undefined) return [];
    return [{ mountPoint: unescapeOctal(mountPoint), type: rest[rest.indexOf('-') + 1]! }];
  });
  const containing = mounts.filter(({ mountPoint }) =>
    `${path}/`.startsWith(mountPoint.replace(/\/*$/, '/')),
  );
  // The last of several mounts on one path hides the others.
  return containing.reduceRight<Mount | undefined>(
    (best, each) => (best && best.mountPoint.length >= each.mountPoint.length ? best : each),
    undefined,
  );
}

/** The kernel writes space, tab, newline and backslash in a path as `\040` and so on. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
