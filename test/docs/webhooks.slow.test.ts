/** The receivers on the page of webhooks, run as they are shown. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { postWebhook } from '../../src/services/webhooks/post.ts';
import { signMessage } from '../../src/services/webhooks/sign.ts';
import { addCleanup, temporaryDirectory } from '../support/start-service.ts';
import { readBlocks } from './pages.ts';

const PAGE = 'docs/guides/webhooks.md';
const RECEIVERS = [
  { language: 'javascript', file: 'receiver.mjs', command: process.execPath },
  { language: 'python', file: 'receiver.py', command: 'python3' },
];
const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const body = JSON.stringify({ type: 'training-job.succeeded', timestamp: '', data: { name: 'größer' } });

for (const { language, file, command } of RECEIVERS) {
  test(`the receiver in ${language} accepts only messages with a recent signature of its secret`, async (t) => {
    const blocks = readBlocks(PAGE).filter((block) => block.language === language);
    assert.equal(blocks.length, 1);
    const path = join(await temporaryDirectory(t), file);
    await writeFile(path, blocks[0]!.text);
    const child = spawn(command, [path], {
      env: { PATH: process.env['PATH'], SECRET: secret, PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    addCleanup(t, async () => {
      const exited = once(child, 'exit');
      if (child.kill()) await exited;
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = /^port (\d+)$/.exec((await lines.next()).value!)![1];
    const post = (sent: string, headers: Record<string, string>) =>
      postWebhook(new URL(`http://127.0.0.1:${port}/atelier`), headers, sent, {
        allowed: new BlockList(),
        signal: t.signal,
      });
    const message = { messageId: 'msg_1', body, secret };
    const now = new Date();
    const other = { ...message, secret: `whsec_${Buffer.alloc(32, 4).toString('base64')}` };
    assert.equal(await post(body, signMessage(message, now)), 204);
    assert.deepEqual((await lines.next()).value, 'msg_1 training-job.succeeded');
    assert.equal(await post(`${body} `, signMessage(message, now)), 401);
    assert.equal(await post(body, signMessage(other, now)), 401);
    assert.equal(await post(body, signMessage(message, new Date(now.getTime() - 600_000))), 401);
  });
}
