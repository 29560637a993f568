import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createLineWriter } from '../../src/process/log.ts';

test('lines are written in order in larger pieces, and a flush waits for the last one', async () => {
  const out = new PassThrough({ highWaterMark: 2 ** 20 });
  const lines = createLineWriter(out);
  for (let i = 0; i < 1000; i++) lines.write(`line ${i}\n`);
  await lines.flush();
  assert.equal(out.read().toString(), Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(''));
});

test('lines are written once there are 15 KiB of them, or soon after the first one', async () => {
  const out = new PassThrough();
  const lines = createLineWriter(out);
  lines.write('x'.repeat(15 * 1024 - 1));
  assert.equal(out.read(), null);
  lines.write('\n');
  assert.equal(out.read().length, 15 * 1024);
  lines.write('alone\n');
  assert.equal(out.read(), null);
  // The timer alone would not keep the process running.
  const alive = setInterval(() => {}, 1000);
  const [text] = await once(out, 'data');
  clearInterval(alive);
  assert.equal(String(text), 'alone\n');
});

test('a reader that disconnects ends nothing', async () => {
  const out = new PassThrough();
  const lines = createLineWriter(out);
  // A listener for errors here, such as that of `once`, would hide that there is none.
  const closed = new Promise<void>((resolve) => out.on('close', resolve));
  out.destroy(new Error('EPIPE'));
  await closed;
  lines.write('unread\n');
  await lines.flush();
});

for (const dropped of [3, 1]) {
  test(`unread lines are dropped above a limit, and the next line reports that they were ${dropped}`, async () => {
    const out = new PassThrough();
    const lines = createLineWriter(out);
    const line = `${'x'.repeat(2 ** 20 - 1)}\n`;
    for (let i = 0; i < 17 + dropped; i++) lines.write(line);
    assert.ok(out.writableLength < (17 + dropped) * 2 ** 20);
    const said = text(out);
    while (out.writableLength > 0) await new Promise((resolve) => out.once('drain', resolve));
    lines.write('again\n');
    await lines.flush();
    out.end();
    const report = `"msg":"The reader was too slow. Log lines that were dropped: ${dropped}"`;
    assert.match(await said, new RegExp(`x\\n\\{"level":40,"time":\\d+,${report}\\}\\nagain\\n$`));
  });
}
