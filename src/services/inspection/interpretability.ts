/** Interpretability: draws weights and explains predictions in a worker thread. */

import type { VersionName, VersionReference } from '../../domain/models/reference.ts';
import type { WeightsQuery } from '../../domain/models/weights.ts';
import type { Fit } from '../../domain/predictions/image-query.ts';
import { preprocessingFor } from '../../domain/predictions/preprocessing.ts';
import { AtelierError } from '../../errors.ts';
import { numberedLayers } from '../../formats/drawing/weights.ts';
import type { ReceivedImages } from '../../images/decode.ts';
import type { SentImages } from '../../images/sent.ts';
import { type Architecture, architectureText } from '../../numerics/network/architecture.ts';
import type { ImageShape } from '../../numerics/network/image-shape.ts';
import { type DiagnosisTally, tallyDiagnoses } from '../../protocols/prediction-tally.ts';
import type { NumericPool } from '../../workers/pools.ts';
import type { ExplanationResult } from '../../workers/tasks/explain.ts';
import { type ModelService, servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import type { PrepareImages } from '../predictions/prepare-images.ts';
import type { CalibrationService } from './calibrations.ts';
import type { LoadStatistics } from './statistics-cache.ts';

/** If `version` is omitted: the champion, or the newest version if the model has no champion. */
interface Version {
  readonly name: string;
  readonly version?: VersionName;
}

interface ExplainOptions {
  /** The class to explain; by default the most probable one. */
  readonly label?: number | undefined;
  readonly diagnose: boolean;
  /** Replaces the fit of the model for encoded images. */
  readonly fit?: Fit;
}

export type InterpretabilityService = ReturnType<typeof createInterpretabilityService>;

type Explained = ExplanationResult & {
  readonly model: VersionReference;
  readonly classNames: readonly string[];
};

export function createInterpretabilityService(
  models: ModelService,
  numeric: NumericPool,
  loadStatistics: LoadStatistics,
  calibrations: Pick<CalibrationService, 'loadIfAny'>,
  prepareImages: PrepareImages,
  onDiagnosed: (tally: DiagnosisTally) => void,
) {
  async function load(wanted: Version): Promise<LoadedModel> {
    const { name, version } = await models.version(wanted.name, wanted.version);
    return models.load(name, version);
  }

  async function explain(
    model: LoadedModel,
    images: ReceivedImages,
    { label = null, diagnose }: { readonly label?: number | null | undefined; readonly diagnose: boolean },
    signal: AbortSignal,
  ): Promise<Explained> {
    const diagnosing = diagnose ? await loadStatistics(model, signal) : null;
    const network = servedNetwork(model);
    const calibration = diagnose ? await calibrations.loadIfAny(model.reference, signal) : null;
    const task = { network, images, label, diagnosing, calibration };
    const result = await numeric.run('explain', task, signal);
    if (result.diagnosis !== null) onDiagnosed(tallyDiagnoses([result.diagnosis]));
    return { model: network.reference, classNames: network.classNames, ...result };
  }

  async function prepare(model: LoadedModel, images: SentImages, fit: Fit, signal: AbortSignal) {
    return prepareImages(
      images,
      preprocessingFor(model.preprocessing, fit),
      model.architecture.inputShape,
      () => signal,
    );
  }

  return {
    /**
     * @returns a PNG
     * @throws AtelierError `model-not-found`, `impossible-request` for a missing layer or unit
     */
    async drawWeights(version: Version, query: WeightsQuery, signal: AbortSignal) {
      const network = servedNetwork(await load(version));
      assertUnitExists(network.reference, network.architecture, query);
      const png = await numeric.run('drawLayer', { network, ...query }, signal);
      return Buffer.from(png.buffer, png.byteOffset, png.byteLength);
    },

    /**
     * Explains one image; checkpoints are not accepted.
     * @throws AtelierError `model-not-found`, `impossible-request` for several images or a missing class, the errors of
     *   `PrepareImages`, of decoding and of `LoadStatistics`
     */
    async explain(version: Version, images: SentImages, options: ExplainOptions, signal: AbortSignal) {
      const model = await load(version);
      return explain(model, await prepare(model, images, options.fit, signal), options, signal);
    },

    /**
     * Explains the most probable class of each image by one version.
     * @param decode reads the request, once the shape of the model's images is known
     * @throws AtelierError like `explain`
     */
    async explainEach(
      version: Version,
      decode: (image: ImageShape) => Extract<SentImages, { kind: 'parts' }>['parts'],
      fit: Fit,
      signal: AbortSignal,
    ) {
      const model = await load(version);
      const sent: SentImages = { kind: 'parts', parts: decode(model.architecture.inputShape), names: null };
      const prepared = await prepare(model, sent, fit, signal);
      const parts = prepared.kind === 'many' ? prepared.parts : [prepared];
      const explained: Explained[] = [];
      // One after the other, so that a request does not occupy the threads of others.
      for (const part of parts) explained.push(await explain(model, part, { diagnose: false }, signal));
      return explained;
    },
  };
}

function assertUnitExists(
  { name, version }: VersionReference,
  architecture: Architecture,
  { layer, unit }: WeightsQuery,
): void {
  const network = `${name}@${version} is a ${architectureText(architecture)} network`;
  const layers = numberedLayers(architecture);
  const found = layers[layer - 1];
  if (found === undefined) {
    const detail = layers.length === 1 ? 'must be 1' : `must be 1 to ${layers.length}`;
    throw new AtelierError('impossible-request', `${network}: layer ${detail}.`, {
      details: [{ parameter: 'layer', detail }],
    });
  }
  const units = found.output.channels;
  if (unit !== undefined && unit >= units) {
    const detail = `must be 0 to ${units - 1}`;
    throw new AtelierError('impossible-request', `${network}: unit ${detail} in layer ${layer}.`, {
      details: [{ parameter: 'unit', detail }],
    });
  }
}
