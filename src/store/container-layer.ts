/** Detects a state directory on the writable layer of a container, which is deleted together with the container. */
import { readFile, realpath } from 'node:fs/promises';

/** The file systems of which Docker, containerd and Podman make the root of a container. */
const LAYERED = ['overlay', 'fuse.fuse-overlayfs', 'aufs'];

/** @returns a warning with advice, or undefined; always undefined where /proc does not exist */
export async function warnOfContainerLayer(stateDir: string): Promise<string | undefined> {
  try {
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    if (!isOnContainerLayer(mounts, await realpath(stateDir))) return;
  } catch {
    return;
  }
  return (
    `STATE_DIR=${stateDir} is on the writable layer of this container, so the models and jobs are lost when the container ` +
    `is removed. Mount a volume there, for example with --volume atelier:${stateDir}.`
  );
}

/**
 * @param mountinfo the text of /proc/self/mountinfo: `id parent device root mountPoint options [optional…] - type source …`
 * @param path absolute and without symbolic links
 */
export function isOnContainerLayer(mountinfo: string, path: string): boolean {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [, , , , mountPoint, ...rest] = line.split(' ');
    if (mountPoint === undefined) return [];
    return [{ mountPoint: unescapeOctal(mountPoint), type: rest[rest.indexOf('-') + 1]! }];
  });
  const containing = mounts.filter(({ mountPoint }) =>
    `${path}/`.startsWith(mountPoint.replace(/\/*$/, '/')),
  );
  // The last of several mounts on one path hides the others.
  const deepest = containing.reduceRight<(typeof mounts)[number] | undefined>(
    (best, each) => (best && best.mountPoint.length >= each.mountPoint.length ? best : each),
    undefined,
  );
  return deepest?.mountPoint === '/' && LAYERED.includes(deepest.type);
}

/** The kernel writes space, tab, newline and backslash in a path as `\040` and so on. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
