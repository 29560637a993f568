/** Converts prediction jobs to and from rows. */
import type { NewPredictionJob, PredictionJob } from '../../domain/predictions/job.ts';
import { decode, decodeOptional, encode } from '../database/json-column.ts';
import { toError } from '../database/row-error.ts';
import type { PredictionJobRow } from '../database/tables.ts';

export function newPredictionRow(
  id: string,
  createdAt: string,
  { model, classNames, source, images, coverage }: NewPredictionJob,
): PredictionJobRow {
  return {
    id,
    status: 'queued',
    model_name: model.name,
    model_version: model.version,
    class_names: encode(classNames),
    dataset_id: 'dataset' in source ? source.dataset : null,
    split: 'dataset' in source ? source.split : null,
    pixels: 'pixels' in source ? source.pixels : null,
    images,
    done: 0,
    classes: null,
    correct: null,
    coverage,
    unsure: null,
    created_at: createdAt,
    started_at: null,
    finished_at: null,
    attempts: 0,
    pause_reason: null,
    unclean_ends: 0,
    run: 0,
    runner: null,
    error_code: null,
    error_message: null,
  };
}

/** @throws AtelierError `state-unusable` if a value is damaged */
export function toPredictionJob(row: PredictionJobRow): PredictionJob {
  const names = decode<string[]>(row.class_names);
  const counts = decodeOptional<number[]>(row.classes);
  const { images, done, correct } = row;
  return {
    id: row.id,
    status: row.status,
    waiting: null,
    pauseReason: row.pause_reason,
    model: { name: row.model_name, version: row.model_version },
    dataset: row.dataset_id,
    split: row.split,
    pixels: row.pixels,
    images,
    progress: { images: done, fraction: done / images },
    classes: counts?.map((count, label) => ({ label, className: names[label]!, images: count })) ?? null,
    correct,
    accuracy: correct === null ? null : correct / images,
    coverage: row.coverage,
    unsure: row.unsure,
    attempts: row.attempts,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: toError(row),
  };
}

/** Returns undefined if a value of the row is damaged. */
export function toReadablePrediction(row: PredictionJobRow): PredictionJob | undefined {
  try {
    return toPredictionJob(row);
  } catch {
    return undefined;
  }
}
