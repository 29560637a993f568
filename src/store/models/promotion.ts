/** Promotion: decides, in the transaction that publishes a version, whether it becomes the champion. */
import type { Transaction } from 'kysely';
import { CHAMPION } from '../../domain/models/reference.ts';
import {
  type ChampionComparison,
  DEFAULT_PUBLISH,
  type Publication,
  type PublishOptions,
} from '../../domain/training/publication.ts';
import { type Database, SERVICE } from '../database/tables.ts';
import { findAlias, pointAlias, warnUncalibrated } from './aliases.ts';
import type { PublishedVersion } from './versions.ts';

/** How a result compares with the version that was the champion, as figures and as one sentence. */
export interface Judgement {
  readonly champion: number;
  /** null if the two cannot be compared */
  readonly comparison: ChampionComparison | null;
  readonly reason: string;
}

/** Thrown if another version than the one of the judgement is the champion now. */
export class ChampionMoved extends Error {}

/**
 * The caller's transaction has locked the model's row, so the champion stays what it is until the version is published.
 * @param jobId training job that published the version
 * @param judgement needed with `if-better` once a champion exists
 * @throws ChampionMoved
 */
export async function promote(
  trx: Transaction<Database>,
  { name, version, isFirst }: PublishedVersion,
  jobId: string | null = null,
  { promote }: Pick<PublishOptions, 'promote'> = DEFAULT_PUBLISH,
  judgement: Judgement | null = null,
): Promise<Publication> {
  const champion = (await findAlias(trx, name, CHAMPION))?.alias.version;

  function decide(): Omit<Publication, 'version'> {
    const decided = (promoted: boolean, reason: string, comparison: ChampionComparison | null = null) => ({
      promoted,
      reason,
      comparison,
    });
    if (isFirst) return decided(true, `It is the first version of model ${name}.`);
    if (promote === 'never') {
      const meant =
        champion === undefined
          ? `model ${name} has no champion, so its name means its newest version`
          : `version ${champion} stays the champion of model ${name}`;
      return decided(false, `publish.promote is never: ${meant}.`);
    }
    if (champion === undefined) return decided(true, `Model ${name} had no champion.`);
    if (promote === 'always') {
      return decided(true, `publish.promote is always: it replaces version ${champion} as the champion.`);
    }
    if (judgement?.champion !== champion) throw new ChampionMoved();
    const { comparison, reason } = judgement;
    return decided(comparison?.verdict === 'better', reason, comparison);
  }

  const decision = decide();
  if (!decision.promoted) return { version, ...decision };
  const { reason, comparison } = decision;
  await pointAlias(trx, name, {
    alias: CHAMPION,
    version,
    previous: champion,
    caller: SERVICE,
    promotion: { jobId, reason, comparison },
  });
  return { version, ...decision, ...(await warnUncalibrated(trx, name, version, champion)) };
}
