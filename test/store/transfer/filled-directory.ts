/** A state directory with rows in every table. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { Kysely } from 'kysely';
import { generateKey, sha256Bytes } from '../../../src/domain/api-key.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';
import { sha256Hex } from '../../../src/store/blobs/content-addressed.ts';
import { saveBootstrapKey } from '../../../src/store/bootstrap-key.ts';
import type { Database } from '../../../src/store/database/tables.ts';
import { openStore } from '../../../src/store/sqlite/open.ts';
import { readPages, TABLES, type transferredColumns } from '../../../src/store/transfer/tables.ts';
import {
  calibrate,
  epochRecord,
  idempotencyRecord,
  newDataset,
  newJob,
  request,
  runOf,
  temporaryDirectory,
  trained,
  underway,
  untouched,
} from '../fixtures.ts';

const KEY = { name: 'first', scopes: ['admin'], digest: sha256Bytes(generateKey()) } as const;
/** Arrays of the calibration of version 1 of model `wide`. */
export const CALIBRATION = 'calibration';
/** Two data sets with the same bytes. */
export const DATASETS = ['dst_pets', 'dst_pets_with_other_classes'];

const OTHER_SHAPE: Pick<typeof trained, 'inputShape' | 'layerSizes'> = {
  inputShape: [20, 44],
  layerSizes: [880, 40, 10],
};

/** One job of each kind was running when the process ended. */
export async function fillDirectory(t: TestContext): Promise<string> {
  const directory = await temporaryDirectory(t);
  const store = await openStore(directory);
  const tensors = Buffer.alloc(3 * 2 ** 20, 'tensors');
  for (const dataset of DATASETS) {
    const file = store.datasets.newFile();
    await writeFile(file, tensors);
    await store.datasets.add(file, { ...newDataset(dataset, 'pets'), digest: await sha256Hex(tensors) });
  }
  for (const text of ['parameters', 'more parameters']) {
    const id = await newJob(store, 'running', 'wide');
    await runOf(id).recordEpochs([{ record: epochRecord(1, 0.1 + 0.2), warnings: [] }], underway);
    await store.blobs.putReferenced(Buffer.from(text), (digest) =>
      runOf(id).finish({
        status: 'succeeded',
        step: 2 ** 31,
        reason: 'completed',
        model: { ...trained, digest, ...(text === 'parameters' ? {} : OTHER_SHAPE) },
      }),
    );
  }
  await calibrate(store, 'wide', 1, CALIBRATION);
  await store.aliases.move('wide', 'production', 1, 'anonymous');
  const idempotency = idempotencyRecord('key');
  const { id: paused } = await store.jobs.create(request('später'), untouched, { idempotency });
  await store.jobs.requestPause(paused);
  await newJob(store, 'queued');
  const notify = {
    url: 'https://hooks.example/atelier',
    secret: `whsec_${Buffer.alloc(24).toString('base64')}`,
  };
  const { id: reported } = await store.jobs.create(request(), untouched, { notify });
  await store.jobs.requestCancel(reported);
  const running = await newJob(store, 'running');
  await runOf(running).saveCheckpoint({ step: 5_000_000_000, epoch: 1, loss: 0.5 }, new Uint8Array(64));
  const input = store.temporaryFiles.newFile();
  await writeFile(input, 'images');
  const predicted = {
    model: { name: 'wide', version: 1 },
    classNames: trained.classNames,
    images: 1,
    coverage: null,
  };
  const vary = [{ path: '/training/l2', choices: [0, 0.1] }];
  const searching = { ...searchRequestSchema.parse({ dataset: 'fashion-mnist', vary }), modelName: 'tuned' };
  const settings = [[0], [0.1]];
  const plan = { settings, rungs: [10], validationImages: 100, plannedEpochs: 20, checked: [1] };
  await store.searches.create(searching, plan, { limit: 1 });
  const { id: predicting } = await store.predictionJobs.create(
    { ...predicted, source: { pixels: '0-255' } },
    { input, queueLimit: 1 },
  );
  await store.predictionJobs.start(predicting);
  await store.close();
  await saveBootstrapKey(directory, KEY);
  const raw = new DatabaseSync(join(directory, 'atelier.sqlite'));
  // More than two pages.
  raw.exec(`insert into events with recursive numbers(n) as (select 100 union all select n + 1 from numbers where n < 1300)
    select '${running}', n, 'progress', '2026-11-26T12:00:00.000Z', '{"fraction":' || (n / 7.0) || '}' from numbers`);
  raw.close();
  return directory;
}

/** All transferred rows by table, as JSON. */
export async function rowsOf(
  db: Kysely<Database>,
  columns: Awaited<ReturnType<typeof transferredColumns>>,
): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  for (const table of TABLES) {
    const pages = await Array.fromAsync(readPages(db, table, columns.get(table)!));
    rows.set(table, JSON.stringify(pages.flat()));
  }
  return rows;
}
