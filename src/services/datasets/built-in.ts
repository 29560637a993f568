/** Summaries of the built-in data sets at a start. Reading all bytes takes a tenth of it, so that is done once for the same files. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from '../../config/read.ts';
import { summarize } from '../../datasets/catalog.ts';
import { CLASS_NAMES, datasetFile, FILE_SPLITS, loadFashionMnist } from '../../datasets/fashion-mnist.ts';
import { type DatasetSummary, datasetSchema } from '../../domain/datasets/representation.ts';
import { remember } from '../../store/remembered.ts';

/**
 * Fashion-MNIST, unless the service runs without it. That the files still have this digest is checked when their images are
 * needed.
 * @throws AtelierError `invalid-dataset`
 */
export async function summarizeBuiltIn(
  { dataDir, stateDir }: Pick<Config, 'dataDir' | 'stateDir'>,
  log: Pick<FastifyBaseLogger, 'warn'>,
): Promise<DatasetSummary[]> {
  if (dataDir === null) return [];
  const compute = async () => summarize(await loadFashionMnist(dataDir));
  const files = await describeFiles(dataDir).catch(() => undefined);
  // Loading reports the file that cannot be read.
  if (files === undefined) return [await compute()];
  const basis = { classNames: [...CLASS_NAMES], files };
  return [
    await remember({ stateDir, file: 'fashion-mnist.json', basis, schema: datasetSchema, compute, log }),
  ];
}

/** Returns what changes when a file is written or replaced. */
const describeFiles = (directory: string) =>
  Promise.all(
    FILE_SPLITS.flatMap((split) =>
      (['images', 'labels'] as const).map(async (kind) => {
        const file = datasetFile(split, kind);
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(join(directory, file), { bigint: true });
        return { file, stat: [dev, ino, size, mtimeNs, ctimeNs].map(String) };
      }),
    ),
  );
