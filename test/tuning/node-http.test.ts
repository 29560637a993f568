import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '../../src/tuning');

/** The modules of Node that a process has loaded after `importHttp`. */
function loadedModules(off: readonly string[]): string {
  const script = `
    import { createServer, importHttp } from '${SOURCE}/node-http.ts';
    import { switchOff } from '${SOURCE}/switches.ts';
    switchOff(${JSON.stringify(off)});
    await importHttp();
    createServer();
    console.log(process.moduleLoadList.join(' '));
  `;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
}

test('the HTTP server is available without the WebSocket client, unless that is switched off', () => {
  assert.doesNotMatch(loadedModules([]), /undici/);
  assert.match(loadedModules(['node-http']), /undici/);
});
