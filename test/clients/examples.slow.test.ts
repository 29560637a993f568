/** The clients of examples/clients: lost responses, temporary errors and a restart. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { DATA_DIR } from '../support/data-directory.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { addCleanup, interruptible, isUnderway, temporaryDirectory } from '../support/start-service.ts';
import { inFlight, loseResponse, respond, startFaultyProxy } from './faulty-proxy.ts';

const CLIENTS = {
  'Python client': ['/usr/bin/python3', 'python/train_and_predict.py'],
  'Node client': [process.execPath, 'node/train-and-predict.mjs'],
} as const;
const FOLDER = join(import.meta.dirname, '../../examples/clients');

for (const [name, [command, script]] of Object.entries(CLIENTS)) {
  test(`the ${name} trains one job and predicts, over faults and a restart`, async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = startProcess(t, stateDir);
    const base = await serviceAddress(first);
    const faults = {
      'POST /v1/training-jobs': [loseResponse, inFlight, respond(503, { 'retry-after': '0' })],
      '/predictions': [respond(429, { 'retry-after': '0' }), respond(504)],
    };
    const [recipe, png] = [join(stateDir, 'recipe.json'), join(stateDir, 'boot.png')];
    // The service is killed during the job, so the job must outlast the repetitions.
    const training = { ...interruptible.training, epochs: 100 };
    await writeFile(recipe, JSON.stringify({ ...interruptible, training }));
    const image = await fetch(`${base}/v1/datasets/fashion-mnist/splits/test/images/0`);
    await writeFile(png, new Uint8Array(await image.arrayBuffer()));
    const batch = join(DATA_DIR, 'fashion_mnist_test_images.npy');

    const client = spawn(command, [join(FOLDER, script), recipe, batch, png], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ATELIER_URL: await startFaultyProxy(t, base, faults) },
    });
    addCleanup(t, async () => void client.kill('SIGKILL'));
    const stderr = text(client.stderr);
    const ended = once(client, 'close');
    const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
    const created = String((await lines.next()).value);
    const [id = ''] = /^job_\w+(?= is queued$| is running$)/.exec(created) ?? [];
    assert.notEqual(id, '', `${created}\n${await Promise.race([stderr, ''])}`);
    await untilServedJob(base, id, isUnderway);
    first.child.kill('SIGKILL');
    await first.exited;
    await serviceAddress(startProcess(t, stateDir, { PORT: new URL(base).port }));

    const printed: string[] = [];
    for await (const line of { [Symbol.asyncIterator]: () => lines }) printed.push(line);
    assert.deepEqual(await ended, [0, null], await stderr);
    assert.equal(printed[0], 'published interrupted@1');
    assert.match(printed[1]!, /: 10000 images, the first has label \d$/);
    assert.match(printed[2]!, /boot\.png: \w/);
    assert.equal(printed.length, 3);
    assert.deepEqual(Object.values(faults).flat(), [], 'every fault has occurred');
    const { data } = await requestJson<{ data: TrainingJob[] }>(`${base}/v1/training-jobs`);
    assert.deepEqual(
      data.map((job) => job.id),
      [id],
    );
  });
}
