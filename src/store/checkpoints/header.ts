/** JSON header of a checkpoint. NaN, infinities and −0 are strings, so every number is exact. */

import { z } from 'zod';
import { byChannel } from '../../domain/models/standardization.ts';
import { AtelierError } from '../../errors.ts';
import { ACTIVATIONS } from '../../numerics/network/activations.ts';
import { NORMS } from '../../numerics/network/architecture.ts';
import { DEFAULT_IMAGE_SHAPE } from '../../numerics/network/image-shape.ts';
import { LOOP_STOP_REASONS } from '../../numerics/training/stop-reason.ts';

const count = z.int().min(0);
const real = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity', '-0'])]).transform(Number);

const headerSchema = z.object({
  engineName: z.string(),
  precision: z.enum(['float32', 'float64']),
  /** Number of elements of each vector. */
  lengths: z.object({
    parameters: count,
    moments: z.array(count),
    average: count.nullable(),
    best: count.nullable(),
  }),
  engine: z.object({ steps: count, gradientNorm: real }),
  state: z.object({
    step: count,
    examples: count,
    loss: real,
    correct: count,
    plateau: z.object({ factor: real, best: real, badEpochs: count }),
    stopping: z.object({ level: real, badEpochs: count, best: real, bestEpoch: count.nullable() }),
    end: z.enum(LOOP_STOP_REASONS).nullable(),
  }),
  /** Omitted before images had shapes. */
  imageShape: z
    .union([z.tuple([count, count]), z.tuple([count, count, z.literal(3)])])
    .default([...DEFAULT_IMAGE_SHAPE]),
  /** Omitted before networks had convolutions. */
  convolutions: z.array(z.array(z.int().min(1)).min(1)).default([]),
  norm: z.enum(NORMS).default('none'),
  layerSizes: z.array(z.int().min(1)).min(2),
  activation: z.enum(ACTIVATIONS),
  standardization: z.object({ mean: byChannel(real), std: byChannel(real) }).nullable(),
  fused: z.boolean(),
  times: z.object({
    elapsedSeconds: real,
    epochTrainingMs: real,
    evaluationMs: real,
    images: count,
    trainingMs: real,
  }),
});
export type CheckpointHeader = z.infer<typeof headerSchema>;

/** @throws AtelierError `checkpoint-damaged` */
export function parseHeader(json: Uint8Array): CheckpointHeader {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw damagedCheckpoint('its header is not JSON', cause);
  }
  const result = headerSchema.safeParse(parsed);
  if (result.success) return result.data;
  throw damagedCheckpoint(
    `its header has an invalid field ${result.error.issues[0]?.path.join('.')}`,
    result.error,
  );
}

export function damagedCheckpoint(defect: string, cause?: unknown): AtelierError {
  return new AtelierError(
    'checkpoint-damaged',
    `The checkpoint is damaged: ${defect}. Resume from an earlier one, or train again.`,
    { cause },
  );
}
