/** Interpretability: draws weights and explains predictions in a worker thread. */

import type { VersionName, VersionReference } from '../../domain/models/reference.ts';
import type { WeightsQuery } from '../../domain/models/weights.ts';
import { AtelierError } from '../../errors.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import { type DiagnosisTally, tallyDiagnoses } from '../../protocols/prediction-tally.ts';
import type { NumericTasks } from '../../workers/messages/by-pool.ts';
import type { ExplanationResult } from '../../workers/messages/shapes.ts';
import type { Pool } from '../../workers/threads/pool.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import type { LoadStatistics } from './statistics-cache.ts';

/** If `version` is omitted: the champion, or the newest version if the model has no champion. */
interface Version {
  readonly name: string;
  readonly version?: VersionName;
}

export interface InterpretabilityService {
  /**
   * @returns a PNG
   * @throws AtelierError `model-not-found`, `impossible-request` for a missing layer or unit
   */
  drawWeights(model: Version, query: WeightsQuery, signal: AbortSignal): Promise<Buffer>;
  /** Loads a version for `explain`; checkpoints are not accepted. @throws AtelierError `model-not-found` */
  load(model: Version): Promise<LoadedModel>;
  /**
   * @param label the class to explain; by default the most probable one
   * @throws AtelierError `impossible-request` for several images or a missing class, the errors of
   *   decoding, and those of `LoadStatistics`
   */
  explain(
    model: LoadedModel,
    images: ReceivedImages,
    options: { readonly label?: number | undefined; readonly diagnose: boolean },
    signal: AbortSignal,
  ): Promise<
    ExplanationResult & { readonly model: VersionReference; readonly classNames: readonly string[] }
  >;
}

export function createInterpretabilityService(
  models: ModelService,
  numeric: Pool<NumericTasks>,
  loadStatistics: LoadStatistics,
  onDiagnosed: (tally: DiagnosisTally) => void,
): InterpretabilityService {
  async function load(wanted: Version): Promise<LoadedModel> {
    const { name, version } = await models.version(wanted.name, wanted.version);
    return models.load(name, version);
  }

  return {
    load,
    async drawWeights(version, query, signal) {
      const network = servedNetwork(await load(version));
      assertUnitExists(network.reference, network.layerSizes, query);
      const png = await numeric.run('drawLayer', { network, ...query }, signal);
      return Buffer.from(png.buffer, png.byteOffset, png.byteLength);
    },

    async explain(model, images, { label = null, diagnose }, signal) {
      const diagnosing = diagnose ? await loadStatistics(model, signal) : null;
      const network = servedNetwork(model);
      const result = await numeric.run('explain', { network, images, label, diagnosing }, signal);
      if (result.diagnosis !== null) onDiagnosed(tallyDiagnoses([result.diagnosis]));
      return { model: network.reference, classNames: network.classNames, ...result };
    },
  };
}

function assertUnitExists(
  { name, version }: VersionReference,
  sizes: readonly number[],
  { layer, unit }: WeightsQuery,
): void {
  const network = `${name}@${version} is a ${sizes.join('-')} network`;
  const layers = sizes.length - 1;
  if (layer > layers) {
    const detail = layers === 1 ? 'must be 1' : `must be 1 to ${layers}`;
    throw new AtelierError('impossible-request', `${network}: layer ${detail}.`, {
      details: [{ parameter: 'layer', detail }],
    });
  }
  const units = sizes[layer]!;
  if (unit !== undefined && unit >= units) {
    const detail = `must be 0 to ${units - 1}`;
    throw new AtelierError('impossible-request', `${network}: unit ${detail} in layer ${layer}.`, {
      details: [{ parameter: 'unit', detail }],
    });
  }
}
