/** The teachers of a training: the models that it distils. */
import type { Dataset } from '../../domain/datasets/representation.ts';
import { showImageShape } from '../../domain/image-shape.ts';
import type { TrainingRequest } from '../../domain/jobs/request.ts';
import {
  parseModelReference,
  publishedReferenceSchema,
  type VersionReference,
} from '../../domain/models/reference.ts';
import type { SearchRequest } from '../../domain/searches/request.ts';
import { listTeachers, replaceTeachers } from '../../domain/searches/teachers.ts';
import { AtelierError } from '../../errors.ts';
import type { Distillation } from '../../numerics/examples/distillation.ts';
import { isSameShape } from '../../numerics/network/image-shape.ts';
import type { NumericPool } from '../../workers/pools.ts';
import { createCoalescingCache } from '../inspection/coalesce.ts';
import { findNamed, loadNamed, type ModelService, servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';
import { selectExamples } from './examples.ts';

/** Cached targets, of 2.4 MB each for Fashion-MNIST: the trials of a search usually have the same teachers. */
const MAX_CACHED = 2;

type Training = Pick<TrainingRequest, 'training'>;

/**
 * Loads the teachers of a request; empty without distillation.
 * @throws AtelierError `unknown-model`; `impossible-request` if a model has other classes or takes other images than the data set
 */
export async function loadTeachers(
  { training: { distillation } }: Training,
  { id, imageShape, classNames }: Pick<Dataset, 'id' | 'imageShape' | 'classNames'>,
  models: ModelService,
): Promise<LoadedModel[]> {
  const loaded: LoadedModel[] = [];
  for (const [n, teacher] of (distillation?.teachers ?? []).entries()) {
    const { name, version } = parseModelReference(teacher);
    const pointer = `#/training/distillation/teachers/${n}`;
    const model = await loadNamed(models, pointer, name, version);
    const { inputShape } = model.architecture;
    if (!isSameShape(inputShape, imageShape)) {
      const [takes, has] = [showImageShape(inputShape), showImageShape(imageShape)];
      throw new AtelierError(
        'impossible-request',
        `Model ${name} cannot be a teacher: it takes images of ${takes}, and those of data set ${id} are ${has}.`,
        { details: [{ pointer, detail: `must be a model of images of ${has}` }] },
      );
    }
    if (model.classNames.join('\n') !== classNames.join('\n')) {
      throw new AtelierError(
        'impossible-request',
        `Model ${name} cannot be a teacher: it has the classes ${model.classNames.join(', ')}, and data set ${id} has ${classNames.join(', ')}.`,
        {
          details: [
            { pointer, detail: 'must be a model with the classes of the data set, in the same order' },
          ],
        },
      );
    }
    loaded.push(model);
  }
  return loaded;
}

/** Replaces the teachers of a request by their versions of now, because newer ones may exist when the job runs. */
export function fixTeachers<T extends Training>(request: T, teachers: readonly VersionReference[]): T {
  const { distillation } = request.training;
  if (distillation === null) return request;
  return { ...request, training: { ...request.training, distillation: { ...distillation, teachers } } };
}

/**
 * Replaces the teachers that a search names by their versions of now, so that all of its trials have the same ones.
 * @throws AtelierError `unknown-model` if one does not exist, whether a trial has it or not
 */
export async function fixSearchTeachers(
  request: SearchRequest,
  models: Pick<ModelService, 'version'>,
): Promise<SearchRequest> {
  const versions = new Map<string, VersionReference>();
  for (const { reference, pointer } of listTeachers(request)) {
    const parsed = publishedReferenceSchema.safeParse(reference);
    if (!parsed.success) continue;
    const { name, version } = parseModelReference(parsed.data);
    const found = await findNamed({ pointer }, () => models.version(name, version));
    versions.set(JSON.stringify(reference), { name, version: found.version });
  }
  return replaceTeachers(request, (reference) => versions.get(JSON.stringify(reference)) ?? reference);
}

/**
 * Returns what a training needs from its teachers; null without distillation.
 * @throws AtelierError as `loadTeachers`
 */
export type LoadDistillation = (request: Training, dataset: Dataset) => Promise<Distillation | null>;

/** Whether the probabilities of these teachers for the training images are in memory. */
export type HasTargets = (
  dataset: Pick<Dataset, 'digest'>,
  teachers: readonly { digest: string }[],
) => boolean;

/** @param numeric computes the probabilities of the teachers */
export function createLoadDistillation(
  models: ModelService,
  numeric: Pick<NumericPool, 'run'>,
): { loadDistillation: LoadDistillation; hasTargets: HasTargets } {
  const coalesce = createCoalescingCache<Float32Array>(MAX_CACHED);
  const keyFor: (...of: Parameters<HasTargets>) => string = ({ digest }, teachers) =>
    JSON.stringify([digest, teachers.map((teacher) => teacher.digest)]);

  const loadDistillation: LoadDistillation = async (request, dataset) => {
    const { distillation } = request.training;
    if (distillation === null) return null;
    const teachers = await loadTeachers(request, dataset, models);
    const versions = await Promise.all(
      teachers.map(({ reference: { name, version } }) => models.version(name, version)),
    );
    const { signal } = new AbortController();
    const targets = await coalesce(keyFor(dataset, versions), signal, (abortSignal) =>
      numeric.run(
        'averageTeachers',
        { teachers: teachers.map(servedNetwork), examples: dataset.learning },
        abortSignal,
      ),
    );
    // Training images come first. The validation images are trained on or held out, or neither.
    const { labels } = selectExamples(request.training, dataset).examples;
    return {
      weight: distillation.weight,
      targets: targets.subarray(0, labels.length * dataset.classNames.length),
    };
  };
  return { loadDistillation, hasTargets: (...of) => coalesce.has(keyFor(...of)) };
}
