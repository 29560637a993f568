/** Compares the result of a training with the champion of its model, on validation images that neither has seen. */

import { decideVerdict, describeVerdict } from '../../domain/checks/verdict.ts';
import type { Dataset } from '../../domain/datasets/representation.ts';
import type { TrainingJob } from '../../domain/jobs/training.ts';
import { CHAMPION } from '../../domain/models/reference.ts';
import type { ModelVersion } from '../../domain/models/representation.ts';
import type { ChampionComparison } from '../../domain/training/publication.ts';
import { AtelierError, hasCode } from '../../errors.ts';
import type { Comparison } from '../../numerics/evaluation/comparison.ts';
import type { Judgement } from '../../store/models/promotion.ts';
import type { Store } from '../../store/persistent-state.ts';
import type { ServedNetwork } from '../../workers/kernel/compile.ts';
import type { NumericPool } from '../../workers/pools.ts';
import { knownTraining, listSplits, toValidationSplit } from '../training/splits.ts';
import { type ModelService, servedNetwork } from './catalog.ts';

/** Returns null if the model has no champion. Never uses test images. @throws AtelierError `storage-unavailable` */
export type Judge = (job: TrainingJob, dataset: Dataset, result: ServedNetwork) => Promise<Judgement | null>;

export function createJudge(
  models: ModelService,
  jobs: Pick<Store['jobs'], 'get'>,
  numeric: Pick<NumericPool, 'run'>,
): Judge {
  async function findChampion(name: string): Promise<ModelVersion | null> {
    try {
      return await models.version(name, CHAMPION);
    } catch (error) {
      if (hasCode(error, 'model-not-found')) return null;
      throw error;
    }
  }

  /** @returns the comparison, or the reason why it is missing */
  async function compare(
    job: TrainingJob,
    dataset: Dataset,
    network: ServedNetwork,
    champion: ModelVersion,
  ): Promise<Comparison | string> {
    const known = knownTraining(champion);
    if (known === null) return 'it was imported, so the images that it was trained on are unknown';
    const differs = champion.classNames.join('\n') !== dataset.classNames.join('\n');
    if (known.datasetDigest !== dataset.digest || differs) {
      return `it was trained on data set ${champion.lineage.dataset?.id}, not on ${dataset.id}`;
    }
    const own = { request: job, datasetDigest: dataset.digest };
    const [splits, others] = [await listSplits(own, models, jobs), await listSplits(known, models, jobs)];
    if (splits === null || others === null) {
      return 'a model that one of the two started from was imported or deleted, so the images that it was trained on are unknown';
    }
    const compared = await numeric.run('compareHeldOut', {
      network,
      other: servedNetwork(await models.load(champion.name, champion.version)),
      examples: dataset.learning,
      splits: [...splits, ...others].map((split) => toValidationSplit(split, dataset)),
    });
    return compared ?? 'no image was held out for validation from both';
  }

  return async (job, dataset, result) => {
    const champion = await findChampion(job.modelName);
    if (champion === null) return null;
    const compared = await compare(job, dataset, result, champion).catch((error: unknown) => {
      if (!(error instanceof AtelierError) || hasCode(error, 'storage-unavailable')) throw error;
      return `the comparison failed: ${error.message.replace(/\.$/, '')}`;
    });
    const { name, version } = champion;
    if (typeof compared === 'string') {
      const reason = `The new version is not compared with the champion, version ${version} of model ${name}, and does not replace it: ${compared}.`;
      return { champion: version, comparison: null, reason };
    }
    const comparison = describe(version, compared);
    const text = describeVerdict(
      'The new version',
      `the champion, version ${version}`,
      'validation images that neither was trained on',
      compared.counts,
      compared.mcnemar,
    );
    const consequence = comparison.verdict === 'better' ? 'so it replaces it' : 'so it does not replace it';
    return { champion: version, comparison, reason: `${text}, ${consequence}.` };
  };
}

function describe(champion: number, { examples, counts, mcnemar }: Comparison): ChampionComparison {
  return {
    champion,
    examples,
    verdict: decideVerdict(counts, mcnemar),
    accuracy: {
      version: (counts.n10 + counts.n11) / examples,
      champion: (counts.n01 + counts.n11) / examples,
    },
    counts,
    mcnemar,
  };
}
