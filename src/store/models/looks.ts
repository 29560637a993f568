/** Looks: results on test splits that were revealed, counted by the content of the test split. */
import { createHash } from 'node:crypto';
import { type Kysely, type SelectQueryBuilder, sql, type Transaction } from 'kysely';
import type { SplitName } from '../../domain/datasets/representation.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { ExecutionEnvironment, ReproductionTarget } from '../../domain/training/reproducibility.ts';
import { decode } from '../database/json-column.ts';
import type { Rows } from '../database/rows.ts';
import { type Database, type JobRow, type LookKind, SERVICE } from '../database/tables.ts';
import { timestamp } from '../database/timestamps.ts';

/** The only split whose looks are counted. */
export const LOOKED_AT = 'test' satisfies SplitName;

/** The result of one network. */
export interface Look {
  readonly datasetDigest: string;
  readonly kind: LookKind;
  readonly network: Pick<ModelVersion, 'digest' | 'layerSizes' | 'activation' | 'standardization'>;
  /** Name of an API key, `anonymous` or `service` */
  readonly caller: string;
}

/** Content of the test split of a data set. */
export interface TestSplit {
  readonly datasetDigest: string;
  /** Digest by `digestSplit` */
  readonly testDigest: string;
}

export type Looks = ReturnType<typeof createLooks>;

export function createLooks({ db, inTransaction }: Rows) {
  const ofDataset = (digest: string) => selectLooks(db, digest);

  async function sum(looks: SelectQueryBuilder<Database, 'looks', object>): Promise<number> {
    const { counted } = await looks
      .select(({ fn }) => fn.sum('count').as('counted'))
      .executeTakeFirstOrThrow();
    return Number(counted);
  }

  const has = (datasetDigest: string, network: Look['network']) =>
    hasLook(db, datasetDigest, networkSubject(network));

  return {
    /** Whether a result of the network was revealed. */
    has,

    /** Records the test split of a data set, so that looks at others with the same one count as looks at it. */
    recordTestSplit: (split: TestSplit) => insertTestSplit(db, split),

    /** Whether the test split of the data set is recorded. */
    async hasTestSplit(datasetDigest: string): Promise<boolean> {
      const found = db.selectFrom('test_splits').select('test_digest');
      return (await found.where('dataset_digest', '=', datasetDigest).executeTakeFirst()) !== undefined;
    },

    /** Looks at the test split of a data set, and of all data sets with the same one. */
    total: (digest: string) => sum(ofDataset(digest)),

    /** Epochs of a job whose test results were revealed. They stay counted when the job is deleted. */
    ofJob: (jobId: string) => sum(db.selectFrom('looks').where('subject', '=', jobId)),

    /**
     * @param publishedAt time before which looks count as `before`. All epochs of a job count from its first one on
     * @param subjects of the lineage: ids of jobs and digests by `networkSubject`
     */
    async ofVersion(digest: string, publishedAt: string, subjects: readonly string[]) {
      const all = ofDataset(digest);
      const lineage = await all.where('subject', 'in', subjects).select(['count', 'at']).execute();
      const add = (total: number, { count }: { readonly count: number }) => total + count;
      const before = await sum(all.where('at', '<', publishedAt));
      return {
        total: before + (await sum(all.where('at', '>=', publishedAt))),
        before,
        lineage: lineage.reduce(add, 0),
        // Those of the lineage before the version was published.
        lineageBefore: lineage.filter(({ at }) => at < publishedAt).reduce(add, 0),
      };
    },

    /**
     * Counts results that are about to be revealed. Those of networks that are counted already are not counted again.
     * @throws AtelierError `storage-full`, `storage-unavailable`
     */
    async record(looks: readonly Look[]) {
      const counted = await Promise.all(
        looks.map(({ datasetDigest, network }) => has(datasetDigest, network)),
      );
      // In the order of their digests, so that two transactions do not wait for each other.
      const added = looks
        .filter((_, n) => !counted[n])
        .sort((a, b) => (a.network.digest < b.network.digest ? -1 : 1));
      if (added.length === 0) return;
      await inTransaction(async (trx) => {
        for (const look of added) await countLook(trx, look);
      });
    },
  };
}

/** Call it in the transaction that inserts the data set. */
export async function insertTestSplit(
  db: Kysely<Database>,
  { datasetDigest, testDigest }: TestSplit,
): Promise<void> {
  await db
    .insertInto('test_splits')
    .values({ dataset_digest: datasetDigest, test_digest: testDigest })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The looks at a data set, and at all others with the same test split. */
function selectLooks(db: Kysely<Database>, datasetDigest: string) {
  const sameSplit = db
    .selectFrom('test_splits')
    .innerJoin('test_splits as others', 'others.test_digest', 'test_splits.test_digest')
    .select('others.dataset_digest')
    .where('test_splits.dataset_digest', '=', datasetDigest)
    .union(db.selectNoFrom(sql<string>`cast(${datasetDigest} as text)`.as('dataset_digest')));
  return db.selectFrom('looks').where('dataset_digest', 'in', sameSplit).where('split', '=', LOOKED_AT);
}

async function hasLook(db: Kysely<Database>, datasetDigest: string, subject: string): Promise<boolean> {
  const found = selectLooks(db, datasetDigest).select('count').where('subject', '=', subject);
  return (await found.executeTakeFirst()) !== undefined;
}

/** Identifies a network by everything that its predictions depend on. */
export function networkSubject({ digest, layerSizes, activation, standardization }: Look['network']): string {
  const { mean, std } = standardization ?? {};
  const parts = [digest, layerSizes, activation, mean, std];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

/**
 * @param count 0 for a result that is one of the epochs that its job counts
 * @param at time of the transaction's other changes
 */
export async function countLook(
  db: Kysely<Database>,
  { datasetDigest, kind, network, caller }: Look,
  count = 1,
  at = timestamp(),
): Promise<void> {
  const subject = networkSubject(network);
  if (await hasLook(db, datasetDigest, subject)) return;
  await db
    .insertInto('looks')
    .values({ dataset_digest: datasetDigest, split: LOOKED_AT, kind, subject, count, at, caller })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Counts an epoch of a job whose row the transaction has locked. A verification repeats the epochs of another job: they
 * are counted already.
 */
export async function countEpoch(
  trx: Transaction<Database>,
  job: Pick<JobRow, 'id' | 'circumstances' | 'expectation'>,
  epoch: number,
): Promise<void> {
  if (job.circumstances === null) return;
  const { dataset } = decode<ExecutionEnvironment>(job.circumstances);
  const subject = job.expectation === null ? job.id : decode<ReproductionTarget>(job.expectation).of;
  await trx
    .insertInto('looks')
    .values({
      dataset_digest: dataset.digest,
      split: LOOKED_AT,
      kind: 'epochs',
      subject,
      count: epoch,
      at: timestamp(),
      caller: SERVICE,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['dataset_digest', 'split', 'subject'])
        .doUpdateSet({ count: epoch })
        .where('looks.count', '<', epoch),
    )
    .execute();
}
