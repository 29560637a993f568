import assert from 'node:assert/strict';
import files from 'node:fs/promises';
import { test } from 'node:test';
import { checkStateVolume, isOnContainerLayer, isOnRoot } from '../../../src/store/blobs/container-layer.ts';
import { applyMocks } from '../../support/mocked-builtins.ts';

const mounts = (root: string) => `612 523 0:61 / / rw,relatime - ${root}
613 612 0:64 / /proc rw,nosuid - proc proc rw
617 612 8:1 /volumes/atelier/_data /var/lib/atelier rw,relatime master:1 - ext4 /dev/sda1 rw
618 612 8:1 /home/me/my\\040state /my\\040state rw,relatime - ext4 /dev/sda1 rw
619 612 0:70 / /tmp rw - tmpfs tmpfs rw
`;
const OVERLAY = mounts('overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/o/diff,workdir=/o/work');

test('a directory without a volume is on the writable layer of a container', () => {
  for (const path of ['/app/state', '/', '/var/lib', '/var/lib/atelier2', '/my state2']) {
    assert.equal(isOnContainerLayer(OVERLAY, path), true, path);
  }
  assert.equal(isOnContainerLayer(mounts('fuse.fuse-overlayfs fuse-overlayfs rw'), '/app/state'), true);
});

test('a directory on a volume, or outside a container, is not', () => {
  for (const path of ['/var/lib/atelier', '/var/lib/atelier/state', '/my state', '/tmp/state']) {
    assert.equal(isOnContainerLayer(OVERLAY, path), false, path);
  }
  assert.equal(isOnContainerLayer(mounts('ext4 /dev/sda1 rw'), '/app/state'), false);
  assert.equal(isOnContainerLayer('', '/app/state'), false);
});

test('the last mount on a path counts', () => {
  const hidden = `${OVERLAY}700 612 8:1 / / rw - ext4 /dev/sda1 rw\n`;
  assert.equal(isOnContainerLayer(hidden, '/app/state'), false);
  const shown = `${mounts('ext4 /dev/sda1 rw')}700 612 0:61 / / rw shared:1 master:2 - overlay overlay rw\n`;
  assert.equal(isOnContainerLayer(shown, '/app/state'), true);
});

test('a root file system of any type is not a volume', () => {
  const plain = mounts('ext4 /dev/sda1 rw');
  for (const each of [plain, OVERLAY]) {
    assert.equal(isOnRoot(each, '/app/state'), true);
    assert.equal(isOnRoot(each, '/var/lib/atelier'), false);
  }
  assert.equal(isOnRoot('', '/app/state'), false);
});

test('a volume that is required and missing is rejected, also for a directory that does not exist yet', async () => {
  await assert.rejects(
    checkStateVolume('/no/such/directory', true),
    /STATE_DIR=\/no\/such\/directory is not on a volume.*REQUIRE_VOLUME=false\.$/,
  );
  assert.equal(await checkStateVolume('/dev/shm/state', true), undefined);
});

test('a directory that is lost with its container gives a warning, unless a volume is required', async (t) => {
  let mountinfo: string | undefined = OVERLAY;
  t.mock.method(files, 'readFile', async () => {
    if (mountinfo === undefined) throw new Error('This system has no /proc.');
    return mountinfo;
  });
  applyMocks(t);
  const warning = await checkStateVolume('/no/such/directory', false);
  assert.match(
    String(warning),
    /^STATE_DIR=\/no\/such\/directory is on the writable layer .* --volume atelier:\/no\/such\/directory\.$/,
  );
  await assert.rejects(checkStateVolume('/no/such/directory', true), /is not on a volume/);
  for (const requireVolume of [false, true]) {
    mountinfo = OVERLAY;
    assert.equal(await checkStateVolume('/tmp', requireVolume), undefined);
    mountinfo = undefined;
    assert.equal(await checkStateVolume('/no/such/directory', requireVolume), undefined);
  }
  mountinfo = mounts('ext4 /dev/sda1 rw');
  assert.equal(await checkStateVolume('/no/such/directory', false), undefined);
});
