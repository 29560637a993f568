/** Why a training loop has ended. */
export const LOOP_STOP_REASONS = ['completed', 'early-stopping', 'target-reached', 'budget'] as const;
export type LoopStopReason = (typeof LOOP_STOP_REASONS)[number];
